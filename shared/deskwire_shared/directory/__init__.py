"""The people and settings of a desk, as documents with history."""
