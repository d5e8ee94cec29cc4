"""How notify signs what it records: as itself, once for life, as a consequence of what it reacted to."""

from datetime import datetime
from typing import Final

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import AgentReplied
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.eventstore.port import History
from deskwire_shared.eventstore.recorder import Cause

NOTIFY: Final = Actor(kind="system", id="notify")


def caused_by(origin: Commit, mail_id: str, what: str, at: datetime) -> Cause:
    """Give the cause of recording what became of a mail that a commit asked for."""
    return Cause(
        command_id=derived_id("notify", origin.ticket_id, mail_id, what),
        actor=NOTIFY,
        at=at,
        correlation_id=origin.correlation_id,
        causation_id=origin.commit_id,
    )


def commit_of_reply(history: History, message_id: str) -> Commit:
    """Find the commit by which an agent replied."""
    return next(
        commit
        for commit in history.commits
        for fact in commit.facts
        if isinstance(fact, AgentReplied) and fact.message_id == message_id
    )
