"""Answers from the living read models: lists, tickets, customers, reports, history, files."""
