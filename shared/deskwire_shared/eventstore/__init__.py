"""The append-only log of commits, its codec and its keys."""
