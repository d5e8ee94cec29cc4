"""Wires the routing service: the one place that reads its settings and builds its parts."""

from deskwire_shared.runtime.service import Runtime, Service


async def start(runtime: Runtime, role: str | None) -> None:
    """Start what the role asks for in a runtime."""


service = Service(name="routing", start=start)
