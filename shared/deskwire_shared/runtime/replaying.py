"""Parked things are handled once more when somebody asks: the service that parked them is told the number."""

from collections.abc import Awaitable, Callable

import nats.errors
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.js import JetStreamContext
from structlog import get_logger

from deskwire_shared.contracts.subjects import replay_subject
from deskwire_shared.runtime.parking import Parked, get_parked
from deskwire_shared.runtime.streams import consumer_hearing

ANSWER_SECONDS = 60.0

Replay = Callable[[Parked], Awaitable[None]]

log = get_logger(__name__)


class ReplayFailed(Exception):
    """What was parked could not be handled this time either; it stays parked."""


def hear_replays(broker: NatsBroker, js: JetStreamContext, name: str, replay: Replay) -> None:
    """Let one of the processes that play a part handle what somebody asks to be replayed."""

    @broker.subscriber(replay_subject(name), queue=name)
    async def handle(number: int) -> str:
        """Answer nothing when it went well, else why it did not."""
        try:
            await replay(await get_parked(js, number))
        except Exception as error:  # whatever it is, whoever asked is told, and it stays parked
            log.warning("replay failed", number=number, error=repr(error), exc_info=error)
            return str(error) or repr(error)
        return ""


async def ask_for_replay(connection: Client, parked: Parked) -> None:
    """Have something parked handled once more. Raises ReplayFailed."""
    name = consumer_hearing(parked.service, parked.reference) or parked.service
    try:
        answer = await connection.request(replay_subject(name), str(parked.number).encode(), timeout=ANSWER_SECONDS)
    except nats.errors.NoRespondersError as error:
        raise ReplayFailed(f"no {parked.service} runs that could handle it") from error
    except (nats.errors.Error, TimeoutError) as error:
        raise ReplayFailed(f"{parked.service} gave no answer within {ANSWER_SECONDS:g} s") from error
    if answer.data:
        raise ReplayFailed(answer.data.decode("utf-8", "replace"))
