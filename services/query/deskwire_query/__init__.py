"""Read models, read API, search, workspace and portal."""
