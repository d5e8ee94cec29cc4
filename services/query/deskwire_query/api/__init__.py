"""The read API, `/v1`."""
