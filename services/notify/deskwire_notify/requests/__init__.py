"""Requests to servers of others: how they are written and signed, where they may go, and how they are sent."""
