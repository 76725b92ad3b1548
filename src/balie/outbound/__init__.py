"""The one door to the outside: whatever Balie fetches from an address that somebody typed goes through here."""
