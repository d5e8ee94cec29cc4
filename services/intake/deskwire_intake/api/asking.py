"""Who asks for a change, under which conditions: permission, `Idempotency-Key`, `If-Match`."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Header, Request

from deskwire_shared.contracts.access import Permission, Principal
from deskwire_shared.contracts.ids import derived_id, new_id
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.http_access import Authenticated
from deskwire_shared.runtime.http_correlation import correlation_id_of
from deskwire_shared.ticket.state import Ticket

MAX_KEY: Final = 255
_ENTITY_TAG = re.compile(r'(?:W/)?"?([0-9]{1,12})"?\Z')


class IdempotencyKeyReused(Exception):
    """The key was used for another request before."""

    def __init__(self) -> None:
        super().__init__("The Idempotency-Key was used for another request on this ticket; choose a new one.")


class UnreadablePrecondition(Exception):
    """The `If-Match` header names no version."""

    def __init__(self) -> None:
        super().__init__('If-Match must be a version in quotation marks, such as "3", or *.')


@dataclass(frozen=True, slots=True)
class Asking:
    """A request for a change.

    The command id is made of the principal's key and a digest of the request: the log itself, which keeps
    command ids for ever, tells a repeat from a key that was used twice.
    """

    principal: Principal
    key_id: str
    request_id: str
    correlation_id: str
    at: datetime
    expected_version: int | None

    @property
    def cause(self) -> Cause:
        """Why a change is recorded."""
        return Cause(f"{self.key_id}.{self.request_id}", self.principal.actor, self.at, self.correlation_id)

    def made_id(self, what: str) -> str:
        """The id of something that the request makes; a repeat of the request makes no other."""
        return derived_id(what, self.key_id, self.request_id)

    @property
    def ticket_id(self) -> str:
        """The id of the ticket that the request opens: one for each key, so that a key used twice is noticed."""
        return derived_id("ticket", self.key_id)

    def refuse_reuse(self, ticket: Ticket) -> None:
        """Raise IdempotencyKeyReused when the ticket knows the key from another request."""
        prefix = f"{self.key_id}."
        if any(known.startswith(prefix) for known in ticket.command_ids):
            raise IdempotencyKeyReused


def asks(permission: Permission) -> Callable[..., Awaitable[Asking]]:
    """A dependency that reads who asks, and lets only principals with the permission through."""

    async def read(
        request: Request,
        principal: Authenticated,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=MAX_KEY)] = None,
        if_match: Annotated[str | None, Header(max_length=MAX_KEY)] = None,
    ) -> Asking:
        principal.require(permission)
        clock: Clock = request.app.state.clock
        return Asking(
            principal=principal,
            key_id=_key_id(principal, idempotency_key),
            request_id=derived_id(request.method, request.url.path, (await request.body()).decode("latin-1")),
            correlation_id=correlation_id_of(request),
            at=clock.now(),
            expected_version=matched_version(if_match),
        )

    return read


def matched_version(if_match: str | None) -> int | None:
    """The version that `If-Match` asks for. Raises UnreadablePrecondition."""
    if if_match is None or if_match.strip() == "*":
        return None
    tag = _ENTITY_TAG.match(if_match.strip())
    if tag is None:
        raise UnreadablePrecondition
    return int(tag[1])


def _key_id(principal: Principal, key: str | None) -> str:
    return new_id() if key is None else derived_id("idempotency", principal.kind, principal.id, key)
