"""Finds tickets in the log itself, for commands that must work when the read models do not."""

import json
import re
from datetime import datetime

import nats.errors
from nats.js.errors import NotFoundError

from deskwire_shared.contracts.facts import Opened
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import mentions
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.running import CommandFailed

OPENED = {str(Opened.model_fields["type"].default)}
API_SECONDS = 5.0

_ID = re.compile(r"[a-z2-7]{16}\Z")


class UnknownTicket(CommandFailed):
    """The log holds no such ticket."""


async def find_ticket(desk: Desk, asked: str) -> str:
    """The id of a ticket that is named by its id or number. Raises UnknownTicket.

    A number is looked for in the whole log, which takes some ten seconds for each million commits.
    """
    if _ID.match(asked):
        return asked
    number = asked.removeprefix("#")
    found = await _find_number(desk, int(number)) if number.isdecimal() else None
    if found is None:
        raise UnknownTicket(f"there is no ticket {asked}")
    return found


async def _find_number(desk: Desk, number: int) -> str | None:
    follower = Follower(desk.connection, TICKETS)
    waiting = await follower.open()
    try:
        while waiting:
            for delivery in await follower.batch():
                if mentions(delivery.headers.get(FACTS_HEADER, ""), OPENED) and _opens(delivery.data, number):
                    return delivery.subject.rpartition(".")[2]
                waiting = delivery.pending
        return None
    finally:
        await follower.close()


def _opens(raw: bytes, number: int) -> bool:
    facts = json.loads(raw)["facts"]
    return any(fact["type"] in OPENED and fact["number"] == number for fact in facts)


async def next_sequence(desk: Desk) -> int:
    """The sequence the next commit will have."""
    return (await desk.js.stream_info(TICKETS)).state.last_seq + 1


async def sequence_at(desk: Desk, moment: datetime) -> int:
    """The sequence of the first commit at or after a moment, by the server's clock."""
    request = {"batch": 1, "next_by_subj": "ticket.>", "start_time": moment.isoformat()}
    try:
        answer = await desk.connection.request(
            f"$JS.API.DIRECT.GET.{TICKETS}", json.dumps(request).encode(), timeout=API_SECONDS
        )
    except (NotFoundError, nats.errors.Error) as error:
        raise CommandFailed(f"the log does not answer: {error!r}") from error
    sequence = (answer.headers or {}).get("Nats-Sequence")
    return int(sequence) if sequence else await next_sequence(desk)
