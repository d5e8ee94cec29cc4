"""Forms that are described, not written: fields with labels and help become pages, and pages become documents."""
