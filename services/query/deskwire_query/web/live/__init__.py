"""What changes on open pages, told as it happens."""
