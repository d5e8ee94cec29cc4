"""The log as tables: pure functions from commits to rows, and the runner that keeps the rows true."""
