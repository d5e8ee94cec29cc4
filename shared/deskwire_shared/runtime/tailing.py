"""`deskwire tail` and `explain`: the log as people read it."""

import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import RuleApplied
from deskwire_shared.contracts.subjects import TICKETS, ticket_subject
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.port import History, Recorded
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.telling import Teller, harmless
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.explaining import Explanation, explain, own_reasons, reasons

STYLES = {"agent": "green", "customer": "cyan", "rule": "magenta", "system": "yellow", "integration": "blue"}

Show = Callable[[Recorded, int], None]
"""Shows a commit and its ticket's number."""


async def tail(desk: Desk, show: Show, *, start: int, ticket_id: str | None = None) -> None:
    """Show commits from a sequence on, for ever."""
    async with aclosing(_commits(desk, start, ticket_id)) as commits:
        async for recorded in commits:
            ticket = await desk.recorder.ticket(recorded.commit.ticket_id, at_least=1)
            show(recorded, ticket.number)


async def _commits(desk: Desk, start: int, ticket_id: str | None) -> AsyncGenerator[Recorded, None]:
    codec = Codec(desk.keys)
    follower = Follower(
        desk.connection, TICKETS, subjects=[ticket_subject(ticket_id)] if ticket_id else [], start=start
    )
    await follower.open()
    try:
        while True:
            for delivery in await follower.batch():
                yield Recorded(delivery.sequence, await codec.decode(delivery.data))
    finally:
        await follower.close()


def as_json(console: Console) -> Show:
    """Show a commit as one line of JSON."""

    def show(recorded: Recorded, number: int) -> None:
        line = {"sequence": recorded.sequence, "number": number, **recorded.commit.model_dump(mode="json")}
        console.file.write(json.dumps(line, ensure_ascii=False) + "\n")
        console.file.flush()

    return show


def as_text(console: Console, teller: Teller) -> Show:
    """Show each fact of a commit as a line."""

    def show(recorded: Recorded, number: int) -> None:
        for line in _lines(recorded.commit, teller):
            console.print(Text(f"#{number} ", "bold") + line, soft_wrap=True)

    return show


def _lines(commit: Commit, teller: Teller) -> list[Text]:
    at = Text(f"{commit.at.astimezone():%Y-%m-%d %H:%M:%S} ", "dim")
    who = Text(f"{teller.actor(commit.actor)}: ", STYLES[commit.actor.kind])
    return [at + who + Text(teller.tell(fact)) for fact in commit.facts]


def explained(history: History, teller: Teller) -> Tree:
    """Draw who did what to a ticket, each commit below the one that caused it, and what spoke for it."""
    number = fold(history.ticket_id, history.commits).number
    tree = Tree(Text(f"#{number} (ticket {history.ticket_id})", "bold"))
    explanations = {one.version: one for one in explain(history.commits)}
    drawn: dict[str, Tree] = {}
    for commit in history.commits:
        cause = drawn.get(commit.causation_id or "")
        because = Text(f" (because of {commit.causation_id})", "dim") if commit.causation_id and not cause else Text()
        lines = Text("\n").join(_explained(commit, explanations, teller)) + because
        drawn[commit.commit_id] = (cause or tree).add(lines)
    return tree


def _explained(commit: Commit, explanations: Mapping[int, Explanation], teller: Teller) -> Iterator[Text]:
    for number, line in enumerate(_lines(commit, teller)):
        yield line
        explanation = explanations.get(commit.first_version + number)
        for reason in _reasons(explanation, teller) if explanation else ():
            yield Text(f"    {harmless(reason)}", "dim")


def _reasons(explanation: Explanation, teller: Teller) -> tuple[str, ...]:
    """What spoke for a change; of a rule only where it is noted, not at each of its changes."""
    say = reasons if isinstance(explanation.fact, RuleApplied) else own_reasons
    return say(explanation, teller.name)
