"""What runs a service: settings, logs, health, telemetry, wiring and the command line."""
