"""Full-text search behind one port, on SQLite and on PostgreSQL."""
