"""An OAuth 2.0 token endpoint, and the place where a mail server looks tokens up, for tests."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from processes import LOOPBACK


@dataclass
class TokenEndpoint:
    """Gives tokens to whoever knows the secret, and tells whom they belong to."""

    owner: str
    secret: str = "client-secret"
    refresh_token: str = "refresh-1"
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where tokens are given."""
        return f"http://{LOOPBACK}:{self.port}/token"

    @property
    def introspection_url(self) -> str:
        """Where tokens are looked up."""
        return f"http://{LOOPBACK}:{self.port}/introspect?token="

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Answer a request for a token; a refresh token is good for one."""
        self.asked.append(form)
        if form.get("client_secret") != self.secret:
            return 401, {"error": "invalid_client", "error_description": "The secret is wrong."}
        token: dict[str, object] = {"access_token": f"token-{len(self.asked)}", "expires_in": 3600}
        if form["grant_type"] == "refresh_token":
            if form.get("refresh_token") != self.refresh_token:
                return 400, {"error": "invalid_grant"}
            self.refresh_token = f"refresh-{len(self.asked) + 1}"
            token["refresh_token"] = self.refresh_token
        return 200, token

    def introspect(self, token: str) -> dict[str, object]:
        """Tell whom a token belongs to."""
        return {"active": token.startswith("token-"), "username": self.owner}

    @contextmanager
    def open(self) -> Iterator["TokenEndpoint"]:
        """Listen."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name is the framework's
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.reply(*endpoint.answer({name: values[0] for name, values in parse_qs(body).items()}))

            def do_GET(self) -> None:  # the name is the framework's
                token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
                self.reply(200, endpoint.introspect(token))

            def reply(self, code: int, answer: dict[str, object]) -> None:
                body = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
            self.port = server.server_address[1]
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
