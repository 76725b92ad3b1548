"""Live connections: the protocol (pure), the hub, and the doors (sockets, server-sent events)."""
