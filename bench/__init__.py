"""Measurements of a running Balie, beside what one could use instead. `make bench` runs them."""
