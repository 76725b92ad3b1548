"""Shared words, pure: they touch no world and read no clock."""
