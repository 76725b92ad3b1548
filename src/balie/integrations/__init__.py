"""Other programs: outgoing webhooks."""
