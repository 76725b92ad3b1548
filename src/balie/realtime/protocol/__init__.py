"""The sans-I/O core of the live protocol: frames and sessions. No socket, no clock, no store."""
