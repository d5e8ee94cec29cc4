"""What may set business rules off: found in commits as they are stored, or in the time that a ticket has waited."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deskwire_shared.contracts import facts
from deskwire_shared.contracts.facts import Fact
from deskwire_shared.contracts.rules import Trigger, Wait
from deskwire_shared.contracts.upcasts import StoredFact
from deskwire_shared.eventstore.plain_facts import PlainCommit
from deskwire_shared.ticket.state import Ticket

WAITED: Final = "waited"

_OF_FACTS: Final[Mapping[type[Fact], Trigger]] = {
    facts.Opened: "opened",
    facts.CustomerReplied: "customer_replied",
    facts.AgentReplied: "agent_replied",
    facts.NoteAdded: "note_added",
    facts.ReplyBounced: "reply_bounced",
    facts.Rated: "rated",
    facts.StatusChanged: "status_changed",
    facts.Reopened: "reopened",
    facts.Snoozed: "snoozed",
    facts.Woken: "woken",
    facts.PriorityChanged: "priority_changed",
    facts.TypeChanged: "type_changed",
    facts.SubjectChanged: "subject_changed",
    facts.TagsChanged: "tags_changed",
    facts.FieldChanged: "field_changed",
    facts.RequesterChanged: "requester_changed",
    facts.Routed: "routed",
    facts.Assigned: "assigned",
    facts.Unassigned: "unassigned",
    facts.MergeReceived: "merge_received",
    facts.SlaWarned: "sla_warned",
    facts.SlaBreached: "sla_breached",
    facts.SlaMet: "sla_met",
}

TRIGGERS: Final[Mapping[str, Trigger]] = {
    str(model.model_fields["type"].default): trigger for model, trigger in _OF_FACTS.items()
}
"""The trigger of a fact, by its stored name."""

SPOKEN: Final = frozenset({"opened", "customer_replied", "agent_replied", "note_added"})
"""Occasions that bring a message of their own."""
OF_CUSTOMERS: Final = frozenset({"opened", "customer_replied"})
PROMISES: Final = frozenset({"sla_warned", "sla_breached", "sla_met"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """One time that something happened; `name` stays the same however often it is told."""

    trigger: Trigger
    name: str
    message_id: str | None = None
    status_since: datetime | None = None
    """When the stay began that has lasted long enough, for the trigger `waited`."""

    @property
    def topic(self) -> str:
        """What it is about, see `topic_of`."""
        return topic_of(self.name)


def topic_of(name: str) -> str:
    """What an occasion is about, by its name: another run of the same promise is the same, another promise is not."""
    trigger, *about = name.split(":")
    return ":".join((trigger, *about[:1], *about[2:])) if trigger in PROMISES else trigger


def occasions_in(commit: PlainCommit) -> tuple[Occasion, ...]:
    """Find the occasions in a commit, each once."""
    return occasions_of(commit.facts, commit.commit_id)


def occasions_of(stored: Iterable[StoredFact], commit_id: str) -> tuple[Occasion, ...]:
    """Find the occasions among the facts of a commit."""
    listed = list(stored)
    return tuple({occasion.name: occasion for occasion in _occasions(listed, commit_id)}.values())


def _occasions(stored: list[StoredFact], commit_id: str) -> Iterator[Occasion]:
    said = next((fact["message_id"] for fact in stored if TRIGGERS.get(fact["type"]) in OF_CUSTOMERS), None)
    for fact in stored:
        trigger = TRIGGERS.get(fact["type"])
        if trigger in SPOKEN:
            message_id = fact["message_id"]
            name = trigger if trigger == "opened" else f"{trigger}:{message_id}"
            yield Occasion(trigger=trigger, name=name, message_id=message_id)
        elif trigger in PROMISES:
            yield Occasion(trigger=trigger, name=f"{trigger}:{_run(fact)}")
        elif trigger is not None:
            message_id = said if trigger == "reopened" else None
            yield Occasion(trigger=trigger, name=f"{trigger}:{message_id or commit_id}", message_id=message_id)


def _run(fact: StoredFact) -> str:
    run = f"{fact['metric']}:{fact['cycle']}"
    return f"{run}:{fact.get('stage', 1)}" if "sla_warned" in fact["type"] else run


def stay_of(ticket: Ticket, wait: Wait) -> Occasion | None:
    """The present stay of a ticket in the status that is waited in; None while it is in another one."""
    if ticket.status != wait.status or not ticket.status_history:
        return None
    since, _ = ticket.status_history[-1]
    name = f"{WAITED}:{wait.status}:{len(ticket.status_history)}"
    return Occasion(trigger=WAITED, name=name, status_since=since)
