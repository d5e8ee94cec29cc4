"""The workspace: views, their lists, and one ticket beside them."""
