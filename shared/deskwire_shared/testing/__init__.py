"""Builders and contract suites for the tests of every service."""
