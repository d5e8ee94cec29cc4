"""Tells the changes of a ticket in short sentences."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deskwire_query.web.clocks import PROMISES
from deskwire_query.web.people import People
from deskwire_query.web.phrases import label, span

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A change as it is told: its plain values, the names of everybody, and who made it."""

    data: Data
    people: People
    actor: str

    def get(self, name: str, default: Any = None) -> Any:
        """One of the values."""
        return self.data.get(name, default)


def words_of(fact: str, data: Data, people: People, actor: str) -> str:
    """Tell a change in a sentence, by the short name of its fact and its plain values."""
    return SENTENCES.get(fact, _anything)(Told(data, people, actor))


def _anything(told: Told) -> str:
    return f"{told.actor} changed the ticket"


def _status(told: Told) -> str:
    return f"{told.actor} set the status to {label(told.get('after'))}"


def _priority(told: Told) -> str:
    return f"{told.actor} set the priority to {label(told.get('after'))}"


def _type(told: Told) -> str:
    return f"{told.actor} set the type to {label(told.get('after')) or 'none'}"


def _routed(told: Told) -> str:
    if not told.get("team_id"):
        return f"{told.actor} took the ticket out of its team"
    return f"{told.actor} moved the ticket to {told.people.team(told.data['team_id'])}"


def _assigned(told: Told) -> str:
    by_turn = "" if told.get("strategy") in {None, "manual"} else f" ({label(told.data['strategy']).lower()})"
    agent = told.people.agent(told.get("agent_id"))
    return f"{agent} took the ticket" if agent == told.actor else f"{told.actor} assigned {agent}{by_turn}"


def _unassigned(told: Told) -> str:
    return f"{told.actor} unassigned {told.people.agent(told.get('before'))}"


def _tags(told: Told) -> str:
    added, removed = told.get("added") or (), told.get("removed") or ()
    parts = [f"added {', '.join(added)}"] if added else []
    parts += [f"removed {', '.join(removed)}"] if removed else []
    return f"{told.actor} {' and '.join(parts) or 'changed the tags'}"


def _subject(told: Told) -> str:
    return f"{told.actor} changed the subject to “{told.get('after') or ''}”"


def _field(told: Told) -> str:
    return f"{told.actor} set {label(told.get('name'))} to {_value(told.get('after'))}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _promise(told: Told) -> str:
    return PROMISES.get(told.get("metric", "resolution"), "Promise")


def _warned(told: Told) -> str:
    return f"{_promise(told)} is due soon"


def _breached(told: Told) -> str:
    return f"{_promise(told)} is late: {span(told.get('target', 0))} were promised"


def _met(told: Told) -> str:
    return f"{_promise(told)} {'came late,' if told.get('late') else 'in time,'} after {span(told.get('used', 0))}"


def _rule(told: Told) -> str:
    verb = "was stopped, lest it set itself off again" if told.get("stopped") else "applied"
    return f"Rule “{told.get('rule_name') or ''}” {verb}"


def _webhook_requested(told: Told) -> str:
    by = (
        told.actor
        if told.get("asked_by") == "macro"
        else f"{label(told.get('asked_by'))} “{told.get('asker_name') or ''}”"
    )
    return f"{by} called the webhook “{told.get('webhook_name') or ''}”"


def _webhook_delivered(told: Told) -> str:
    return f"The webhook “{told.get('webhook_name') or ''}” took it"


def _webhook_failed(told: Told) -> str:
    return (
        f"The webhook “{told.get('webhook_name') or ''}” could not be told: {told.get('reason') or 'no reason given'}"
    )


def _bounced(told: Told) -> str:
    return f"A reply could not be delivered: {told.get('reason') or 'no reason given'}"


def _snoozed(told: Told) -> str:
    return f"{told.actor} snoozed the ticket until {str(told.get('until') or '')[:16].replace('T', ' ')}"


def _woken(told: Told) -> str:
    why = {"due": "its time came", "reply": "the customer wrote", "agent": "an agent woke it"}
    return f"The ticket woke: {why.get(told.get('reason', ''), 'somebody woke it')}"


def _reopened(told: Told) -> str:
    return "Reopened by a reply" if told.get("reason") == "customer_reply" else f"{told.actor} reopened the ticket"


def _merged(told: Told) -> str:
    return f"{told.actor} merged this ticket into #{told.get('into_number')}"


def _merge_received(told: Told) -> str:
    return f"{told.actor} merged #{told.get('source_number')} into this ticket"


def _split(told: Told) -> str:
    return f"{told.actor} split messages off to #{told.get('into_number')}"


def _linked(told: Told) -> str:
    return f"{told.actor} linked #{told.get('number')} ({label(told.get('kind')).lower()})"


def _time(told: Told) -> str:
    return f"{told.actor} logged {span(told.get('seconds', 0))}"


def _rated(told: Told) -> str:
    return f"The customer rated {told.get('score')} of 5"


SENTENCES: Final[dict[str, Callable[[Told], str]]] = {
    "status_changed": _status,
    "priority_changed": _priority,
    "type_changed": _type,
    "routed": _routed,
    "assigned": _assigned,
    "unassigned": _unassigned,
    "tags_changed": _tags,
    "subject_changed": _subject,
    "field_changed": _field,
    "sla_warned": _warned,
    "sla_breached": _breached,
    "sla_met": _met,
    "rule_applied": _rule,
    "reply_bounced": _bounced,
    "webhook_requested": _webhook_requested,
    "webhook_delivered": _webhook_delivered,
    "webhook_failed": _webhook_failed,
    "snoozed": _snoozed,
    "woken": _woken,
    "reopened": _reopened,
    "merged": _merged,
    "merge_received": _merge_received,
    "split": _split,
    "linked": _linked,
    "time_logged": _time,
    "rated": _rated,
}
"""How each change is told."""
