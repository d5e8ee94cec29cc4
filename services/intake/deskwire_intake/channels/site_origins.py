"""Which web sites may use a form or a chat: their own pages' and those that the channel names."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


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
