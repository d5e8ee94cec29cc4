"""Speed and memory, measured side by side with a reference in the same run. `make bench` runs them all."""
