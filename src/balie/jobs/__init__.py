"""Durable background work: what has to be done though the process dies, and done again until it is."""
