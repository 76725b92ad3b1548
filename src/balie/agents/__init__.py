"""Agents: who answers, how they sign in, and whether they are there."""
