"""Permission checks for HTTP: FastAPI dependencies that every surface uses."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from deskwire_shared.contracts.access import NotPermitted, Permission, Principal
from deskwire_shared.runtime.identity import SESSION_COOKIE, Identity, Unauthenticated

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
DESCRIBED = HTTPBearer(
    scheme_name="API token", description="A token that `deskwire token create` made.", auto_error=False
)
"""How OpenAPI describes what is asked for; nothing is decided by it."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CsrfRefused(Exception):
    """A browser session's change did not repeat its token: the form may be somebody else's."""


async def authenticate(request: Request, _described: Annotated[object, Security(DESCRIBED)] = None) -> Principal:
    """Who is asking, by API token or session cookie. Raises Unauthenticated or CsrfRefused.

    The application keeps its `Identity` in `app.state.identity`.
    """
    identity: Identity = request.app.state.identity
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await identity.by_token(token.strip())
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is None:
        raise Unauthenticated("sign in, or send an API token as Authorization: Bearer …")
    principal = await identity.by_cookie(cookie)
    if request.method not in SAFE_METHODS:
        await _check_csrf(request, principal)
    return principal


async def _check_csrf(request: Request, principal: Principal) -> None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and request.headers.get("Content-Type", "").startswith(FORMS):
        sent = str((await request.form()).get(CSRF_FIELD, ""))
    if not principal.csrf or not hmac.compare_digest((sent or "").encode(), principal.csrf.encode()):
        raise CsrfRefused("the form is out of date; load the page again")


Authenticated = Annotated[Principal, Depends(authenticate)]


def requires(permission: Permission) -> Callable[[Authenticated], Awaitable[Principal]]:
    """A dependency that lets only principals with the permission through."""

    async def check(principal: Authenticated) -> Principal:
        principal.require(permission)
        return principal

    return check


__all__ = ["Authenticated", "CsrfRefused", "NotPermitted", "Unauthenticated", "authenticate", "requires"]
