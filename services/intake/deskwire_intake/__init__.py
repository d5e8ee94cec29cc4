"""Every message from outside becomes exactly one entry on the right ticket."""
