"""The correlation id of a request: given by the caller or made here, repeated in answers, logs and commits."""

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from deskwire_shared.contracts.ids import new_id

CORRELATION_HEADER: Final = "X-Correlation-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")


class CorrelationId:
    """Gives every request its correlation id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its correlation id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(CORRELATION_HEADER, "")
        correlation_id = given if _ACCEPTED.match(given) else new_id()
        scope.setdefault("state", {})["correlation_id"] = correlation_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[CORRELATION_HEADER] = correlation_id
            await send(message)

        with bound_contextvars(correlation_id=correlation_id):
            await self._app(scope, receive, send_with_id)


def correlation_id_of(request: Request) -> str:
    """The correlation id of a request."""
    return str(request.scope.get("state", {}).get("correlation_id", ""))
