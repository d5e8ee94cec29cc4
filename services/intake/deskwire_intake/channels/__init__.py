"""The ways in: each turns what it hears into an inbound message."""
