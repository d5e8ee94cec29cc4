"""What crosses a service border: facts, commits, directory documents, addresses of threads."""
