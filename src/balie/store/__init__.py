"""Durable things: the engine, the append port of the log, and their drivers."""
