"""What operators measure: Prometheus figures always, OpenTelemetry traces when a collector is named."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

from fastapi import APIRouter, Header
from fastapi.responses import Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

HTTP_TELEMETRY: Final[TelemetryConfig] = {"auto_configure": False}
"""For `FastAPI(telemetry=…)`: spans go where `tracing` sends them, whatever the environment says."""


def new_registry() -> CollectorRegistry:
    """Make the registry of one process's figures, with those of the process itself."""
    registry = CollectorRegistry(auto_describe=True)
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def metrics_router(registry: CollectorRegistry) -> APIRouter:
    """Serve a registry at `/metrics`, as text or OpenMetrics."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    def metrics(accept: Annotated[str, Header()] = "") -> Response:
        encode, content_type = choose_encoder(accept)
        return Response(encode(registry), headers={"content-type": content_type})

    return router


@asynccontextmanager
async def tracing(*, service: str, version: str, endpoint: str | None) -> AsyncIterator[None]:
    """Send the spans that end inside to an OTLP/HTTP collector; without an endpoint, cost nothing."""
    if endpoint is None:
        yield
        return

    # Only an installation that traces pays for these imports.
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource({"service.name": service, "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        await asyncio.to_thread(provider.shutdown)  # sends the last spans, which may take seconds
