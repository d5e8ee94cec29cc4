"""Finds tickets in the log itself, for commands that must work when the read models do not."""

import json
import re
from datetime import datetime

import nats.errors
from nats.js.errors import NotFoundError

from deskwire_shared.contracts.subjects import NUMBERS, TICKETS
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.running import CommandFailed

API_SECONDS = 5.0

_ID = re.compile(r"[a-z2-7]{16}\Z")
_NUMBER = re.compile(r"[1-9][0-9]{0,14}\Z")


class UnknownTicket(CommandFailed):
    """The log holds no such ticket."""


async def find_ticket(desk: Desk, asked: str) -> str:
    """The id of a ticket that is named by its id or number. Raises UnknownTicket."""
    if _ID.match(asked):
        return asked
    number = asked.removeprefix("#")
    taker = await _taker(desk, int(number)) if _NUMBER.match(number) else None
    if taker is None or (await desk.recorder.ticket(taker)).number != int(number):
        raise UnknownTicket(f"there is no ticket {asked}")
    return taker


async def _taker(desk: Desk, number: int) -> str | None:
    """The ticket that took a number; of two numbers that it took it kept one."""
    try:
        message = await desk.js.get_msg(NUMBERS, seq=number)
    except NotFoundError:
        return None
    return str(json.loads(message.data or b"{}")["ticket_id"])


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
