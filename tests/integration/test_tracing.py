"""One trace goes through HTTP, the log and SQL, when a collector is named."""

import contextlib
import gzip
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from processes import LOOPBACK
from up_desk import UpDesk, wait_until

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SCOPES = "tickets:read,tickets:write"


class Collector(ThreadingHTTPServer):
    """Takes spans in as an OpenTelemetry collector does, by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Export)
        self.names: dict[str, set[str]] = {}

    def take_in(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.names.setdefault(span.trace_id.hex(), set()).add(f"{scope.scope.name}: {span.name}")


class _Export(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take_in(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        del format, args


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.shutdown()
        collector.server_close()
        thread.join()


def test_one_trace_goes_through_http_the_log_and_sql(tmp_path: Path) -> None:
    with collecting() as collector:
        endpoint = f"http://{LOOPBACK}:{collector.server_port}"
        desk = UpDesk(tmp_path, settings={"DESKWIRE_OTEL_ENDPOINT": endpoint})
        try:
            desk.start()
            token = desk.command("token", "create", "--name", "traced", "--scopes", SCOPES).split()[-1]
            body = {"requester": {"address": "ann@example.com"}, "subject": "Traced", "text": "Hello"}
            sequence = ask(desk, "/intake/v1/tickets", token, body)["sequence"]
            ask(desk, f"/v1/tickets?after={sequence}", token)
            wait_until(lambda: is_whole(collector.names.get(TRACE_ID, set())), "the trace is whole",
                       told=lambda: repr(collector.names))  # fmt: skip
        finally:
            desk.stop()


def is_whole(names: set[str]) -> bool:
    """Whether the trace has a request, what a process manager did because of it, and a statement."""
    return all(any(part in name.lower() for name in names) for part in ("fastapi", "faststream", "sqlalchemy"))


def ask(desk: UpDesk, path: str, token: str, body: object = None) -> dict[str, int]:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01",
    }
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(desk.url + path, data, headers), timeout=20) as answer:
        found: dict[str, int] = json.load(answer)
        return found
