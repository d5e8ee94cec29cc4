"""The doors of the desk: the first run, signing in, signing out."""
