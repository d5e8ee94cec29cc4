"""The open work of a desk as the log tells it: tickets, queues, who has what; counted by each process for itself."""
