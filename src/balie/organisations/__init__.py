"""Organisations and their sites: who they are, how Balie looks there, and which pages may load it."""
