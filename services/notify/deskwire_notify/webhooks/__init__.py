"""Webhooks: programs of others that rules, macros and escalations have told of tickets."""
