"""The APIs of services in other processes, behind the one address."""
