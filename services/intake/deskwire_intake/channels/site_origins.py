"""Which web sites may use a form or a chat: their own pages' and those that the channel names."""

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OriginRefused(Exception):
    """The page that asks stands on a site that the channel does not name."""

    def __init__(self) -> None:
        super().__init__("This site may not use the channel; an administrator can add it to the channel's origins.")


def foreign_origin(connection: HTTPConnection) -> str | None:
    """The site of the page that asks, unless it is ours or the browser does not tell.

    `null` is what a page without a site of its own sends, such as a file or a sandboxed frame: it is foreign, and
    no channel can name it.
    """
    origin = connection.headers.get("origin")
    if origin is None or urlsplit(origin).netloc == connection.headers.get("host"):
        return None
    return origin.lower()


def require_origin(connection: HTTPConnection, allowed: Collection[str]) -> None:
    """Raise OriginRefused unless the page that asks may."""
    origin = foreign_origin(connection)
    if origin is not None and origin not in allowed:
        raise OriginRefused


class SiteHeaders:
    """Lets the sites that a channel names read its answers, errors too."""

    def __init__(self, app: ASGIApp, origins: Callable[[str], tuple[str, ...]]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = foreign_origin(HTTPConnection(scope))
        allowed = origin is not None and origin in self._origins(scope["path"].rpartition("/")[2])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if allowed and origin is not None:
                    headers.setdefault("Access-Control-Allow-Origin", origin)
            await send(message)

        await self._app(scope, receive, send_with_headers)
