"""The command API: what people and programs may do to tickets over HTTP."""
