"""Durable commands per second, beside raw JetStream appends of the same size on the same server."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from nats.aio.client import Client

from benchmarks.appends import append, rate, stored_size
from benchmarks.figures import Figure
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.jetstream import JetStreamEventStore
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.streams import migrate
from deskwire_shared.ticket.commands import AddNote, OpenTicket

TICKETS_OPENED = 2_000
NOTES = 6_000
ROUNDS = 3
AGENT = Actor(kind="agent", id="agent")


async def measure() -> list[Figure]:
    """Open tickets, add notes, append raw messages of the same size; the median of three rounds in turn."""
    raw_rates, note_rates, open_rates = [], [], []
    async with server() as connection:
        for _ in range(ROUNDS):
            keys = JetStreamKeyRing(connection)
            await keys.start()
            recorder = Recorder(JetStreamEventStore(connection, Codec(keys)))
            tickets = [new_id() for _ in range(TICKETS_OPENED)]
            open_rates.append(await rate(TICKETS_OPENED, lambda i: _open(recorder, tickets[i], i)))  # noqa: B023
            note_rates.append(await rate(NOTES, lambda i: _note(recorder, tickets[i % 500])))  # noqa: B023
            payload = b"x" * await stored_size(connection)
            raw_rates.append(await rate(NOTES, lambda _: append(connection, payload)))  # noqa: B023
    raw, notes, opened = (sorted(rates)[ROUNDS // 2] for rates in (raw_rates, note_rates, open_rates))
    return [
        Figure(
            "raw JetStream appends, fsync always, 64 in flight", raw, "msg/s", note="expected last sequence, same size"
        ),
        Figure("durable commands (add a note), 64 in flight", notes, "commands/s"),
        Figure("durable commands (open a ticket), 64 in flight", opened, "commands/s"),
        Figure("durable commands / raw appends", notes / raw, "×", bar=0.5),
    ]


@asynccontextmanager
async def server() -> AsyncIterator[Client]:
    """A connection to a fresh nats-server that syncs every write."""
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        embedded = EmbeddedNats(Path(folder), port=0)
        await embedded.start()
        connection = await nats.connect(embedded.url)
        try:
            await migrate(connection.jetstream())
            yield connection
        finally:
            await connection.close()
            await embedded.stop()


async def _open(recorder: Recorder, ticket_id: str, number: int) -> None:
    command = OpenTicket(
        message_id=new_id(), channel="email", author=Address(address="ann@example.com", name="Ann"),
        subject="The printer is on fire", text="It says PC LOAD LETTER. " * 8, number=number + 1, requester_id="ann",
    )  # fmt: skip
    await recorder.record(ticket_id, command, _cause(), unwritten=True)


async def _note(recorder: Recorder, ticket_id: str) -> None:
    await recorder.record(
        ticket_id, AddNote(message_id=new_id(), agent_id="agent", text="Called back. " * 12), _cause()
    )


def _cause() -> Cause:
    return Cause(new_id(), AGENT, SystemClock().now())
