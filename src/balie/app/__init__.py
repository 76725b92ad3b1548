"""The composition root: reads settings, picks drivers, supplies clock and entropy, and starts."""
