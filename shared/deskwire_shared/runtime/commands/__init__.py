"""The commands of `deskwire` that belong to no service.

A module here is quick to import, so that `deskwire --help` is; what a command works with is imported when it runs.
"""
