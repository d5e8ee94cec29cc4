"""What draft rules would have done to past tickets."""
