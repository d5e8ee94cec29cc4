"""The W3C trace context in NATS headers."""

from opentelemetry import propagate


def trace_headers() -> dict[str, str]:
    """`traceparent` of the current span, or nothing when no trace is running."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier
