"""A server that replies leave to by webhook, for tests: it keeps requests, and answers what it is told to."""

import json
import ssl
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from processes import LOOPBACK


@dataclass(frozen=True)
class SinkRequest:
    """A request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass
class HookSink:
    """What arrived, and what the server answers to the next requests, one each; then they are taken."""

    port: int = 0
    requests: list[SinkRequest] = field(default_factory=list)
    next_answers: deque[tuple[int, bytes]] = field(default_factory=deque)
    silent: Event = field(default_factory=Event)
    """Set while the server reads requests and says nothing."""
    woken: Event = field(default_factory=Event)

    def texts(self) -> list[str]:
        """What the requests said."""
        return [request.json["text"] for request in self.requests]

    def take(self, request: SinkRequest) -> tuple[int, bytes]:
        """Keep a request; what is answered."""
        if self.silent.is_set():
            self.woken.wait(30)
        if self.next_answers:
            return self.next_answers.popleft()
        self.requests.append(request)
        return 200, b'{"ok": true}'

    @contextmanager
    def open(self, certificate: tuple[Path, Path] | None = None) -> Iterator["HookSink"]:
        """Listen."""
        server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.woken.set()
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(sink: HookSink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is the framework's
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = sink.take(SinkRequest(self.path, headers, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if status // 100 == 3:
                self.send_header("Location", f"http://{LOOPBACK}:{sink.port}/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the framework's name
            """Say nothing."""

    return Handler
