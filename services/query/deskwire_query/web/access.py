"""Who may see pages: agents with a session; everybody else is sent to sign in."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from deskwire_query.web.rendering import PART, page
from deskwire_shared.contracts.access import Permission, Principal
from deskwire_shared.runtime.http_access import Authenticated, Unauthenticated

START: Final = "/"
SIGN_IN: Final = "/signin"


async def _reader(principal: Authenticated) -> Principal:
    principal.require("tickets:read")
    return principal


Reader = Annotated[Principal, Depends(_reader)]
"""An agent who may read tickets."""


def allowed(permission: Permission) -> Callable[[Authenticated], Awaitable[Principal]]:
    """Let only principals with a permission in."""

    async def check(principal: Authenticated) -> Principal:
        principal.require(permission)
        return principal

    return check


Administrator = Annotated[Principal, Depends(allowed("directory:write"))]
"""Somebody who may change settings."""


async def ask_to_sign_in(request: Request, error: Exception) -> Response:
    """Send somebody without a session to the sign-in page, and back here afterwards."""
    assert isinstance(error, Unauthenticated)
    if PART in request.headers or request.method != "GET":
        context = {"title": "Your session has ended", "words": "Sign in again; what you wrote is kept."}
        return page(request, "error.html", {"status": 401, **context}, status=401)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(SIGN_IN if path == START else f"{SIGN_IN}?next={quote(path, safe='')}", 303)


def safe_next(path: str | None) -> str:
    """Keep only a path of this desk as the place to go on to."""
    if path is None or not path.startswith("/") or path[1:2] in {"/", "\\"} or not path.isprintable():
        return START
    return path
