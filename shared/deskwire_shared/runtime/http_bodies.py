"""Bounds what is read of a request: its size before it is parsed, and its type."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON_TYPE: Final = "application/json"


class MediaTypeRefused(Exception):
    """The body is of a type that is not read here."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"The body must be sent as {wanted}.")


class BodyTooLarge(HTTPException):
    """The body is beyond the limit."""

    def __init__(self, most: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {most} bytes.")


class BodyLimit:
    """Ends the reading of a body that is too large, whatever length it declares."""

    def __init__(self, app: ASGIApp, most: int, larger: Mapping[str, int]) -> None:
        self._app = app
        self._most = most
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a bounded body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"].removeprefix(scope.get("root_path", "")), self._most)
        declared = Headers(scope=scope).get("content-length", "0")
        received = 0

        async def bounded() -> Message:
            nonlocal received
            _require(int(declared) if declared.isdecimal() else 0, most)
            message = await receive()
            received += len(message.get("body", b""))
            _require(received, most)
            return message

        await self._app(scope, bounded, send)


async def require_json(request: Request) -> None:
    """Refuse bodies that are not JSON; a dependency. Raises MediaTypeRefused."""
    sent = request.headers.get("content-type")
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if has_body and (sent or "").partition(";")[0].strip().lower() != JSON_TYPE:
        raise MediaTypeRefused(JSON_TYPE)


def _require(size: int, most: int) -> None:
    if size > most:
        raise BodyTooLarge(most)
