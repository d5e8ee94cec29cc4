"""What drafts would have changed in the past."""
