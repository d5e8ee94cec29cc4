"""What operators measure."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter

from deskwire_shared.runtime.telemetry import metrics_router, new_registry, tracing

# In a process of its own: OpenTelemetry cannot be set up twice in one.
TRACE_SOME_WORK = """
import asyncio, sys
from deskwire_shared.runtime.telemetry import tracing
from opentelemetry import trace

async def main():
    async with tracing(service="deskwire-sla", version="1.2", endpoint=sys.argv[1]):
        with trace.get_tracer("test").start_as_current_span("timer_fired"):
            pass

asyncio.run(main())
"""


def client_of(registry: CollectorRegistry) -> TestClient:
    app = FastAPI()
    app.include_router(metrics_router(registry))
    return TestClient(app)


@contextmanager
def collector() -> Iterator[tuple[str, Queue[tuple[str, bytes]]]]:
    """An OpenTelemetry collector on loopback: its address, and what it is sent."""
    received: Queue[tuple[str, bytes]] = Queue()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def test_figures_are_served_as_text() -> None:
    registry = new_registry()
    Counter("deskwire_tickets_opened", "Tickets opened.", registry=registry).inc(3)
    answer = client_of(registry).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "deskwire_tickets_opened_total 3.0" in answer.text


def test_figures_are_served_as_openmetrics_on_request() -> None:
    answer = client_of(new_registry()).get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_registry_counts_for_one_process_only() -> None:
    Counter("deskwire_tickets_opened", "Tickets opened.", registry=new_registry())
    Counter("deskwire_tickets_opened", "Tickets opened.", registry=new_registry())


async def test_without_a_collector_nothing_is_traced() -> None:
    async with tracing(service="deskwire", version="1", endpoint=None):
        with trace.get_tracer("test").start_as_current_span("work") as span:
            assert not span.is_recording()


def test_traces_reach_the_collector_before_the_process_ends() -> None:
    with collector() as (address, received):
        subprocess.run([sys.executable, "-c", TRACE_SOME_WORK, address], check=True)
        path, body = received.get(timeout=5)
    assert path == "/v1/traces"
    assert b"deskwire-sla" in body
    assert b"timer_fired" in body
