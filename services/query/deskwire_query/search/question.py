"""What somebody types into the search box: words, quoted phrases and filters such as `is:open from:ann`.

Nothing typed is ever an error: what is no filter we know is looked for as a word.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args

from deskwire_query.reading.read_models import NOBODY, TicketFilter
from deskwire_query.search.analysis import fold, words
from deskwire_shared.contracts.facts import Priority, Status

LONGEST_QUESTION: Final = 400
MOST_CHUNKS: Final = 12
MOST_WORDS: Final = 24
"""Of one chunk: a pasted paragraph is a phrase, not an attack."""

CHUNK: Final = re.compile(r'(?:(\w+):)?(?:"([^"]*)"?|(\S+))')
NUMBER: Final = re.compile(r"#?(\d{1,18})")

FindId = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Words that must stand side by side; the last one may go on unless the chunk was quoted."""

    words: tuple[str, ...]
    text: str
    prefix: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A search, understood."""

    chunks: tuple[Chunk, ...] = ()
    wanted: TicketFilter = field(default_factory=TicketFilter)
    sender: str = ""
    number: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return not self.chunks and not self.sender and self.wanted == TicketFilter()


@dataclass(frozen=True, slots=True)
class Names:
    """Who is asking, and how agents and teams are found by what people call them."""

    me: str | None = None
    agent: FindId = lambda _name: None
    team: FindId = lambda _name: None


def understand(text: str, names: Names, wanted: TicketFilter | None = None) -> Question:
    """Read a search; `wanted` holds on top of what it says."""
    question = Question(wanted=wanted or TicketFilter())
    asked = text[:LONGEST_QUESTION].replace("\0", " ")
    for found in CHUNK.finditer(asked):
        key, quoted, plain = found.groups()
        filtered = _filtered(question, (key or "").lower(), quoted or plain or "", names)
        question = filtered or _with_chunk(question, found[0] if quoted is None else quoted, quoted=quoted is not None)
    alone = NUMBER.fullmatch(asked.strip())
    return replace(question, number=int(alone[1]) if alone else None)


def _with_chunk(question: Question, text: str, *, quoted: bool) -> Question:
    found = tuple(words(text)[:MOST_WORDS])
    if not found or len(question.chunks) >= MOST_CHUNKS:
        return question
    return replace(question, chunks=(*question.chunks, Chunk(found, fold(text), prefix=not quoted)))


def _filtered(question: Question, key: str, value: str, names: Names) -> Question | None:
    """Add a filter, or give None when this is none."""
    if not key or not value:
        return None
    if key == "from":
        return replace(question, sender=value)
    narrow = FILTERS.get(key)
    changes = narrow(value, question.wanted, names) if narrow else None
    return None if changes is None else replace(question, wanted=replace(question.wanted, **changes))


def _is(value: str, wanted: TicketFilter, names: Names) -> dict[str, Any] | None:
    del names
    value = value.lower()
    if value in get_args(Status):
        return {"statuses": (*wanted.statuses, value)}
    return STATES.get(value)


def _priority(value: str, wanted: TicketFilter, names: Names) -> dict[str, Any] | None:
    del names
    return {"priorities": (*wanted.priorities, value.lower())} if value.lower() in get_args(Priority) else None


def _tag(value: str, wanted: TicketFilter, names: Names) -> dict[str, Any]:
    del names
    return {"tags": (*wanted.tags, value.lower())}


def _assignee(value: str, wanted: TicketFilter, names: Names) -> dict[str, Any]:
    del wanted
    if value.lower() == "me":
        return {"assignee_id": names.me or value}
    return {"assignee_id": NOBODY if value.lower() == NOBODY else names.agent(value) or value}


def _team(value: str, wanted: TicketFilter, names: Names) -> dict[str, Any]:
    del wanted
    return {"team_id": NOBODY if value.lower() == NOBODY else names.team(value) or value}


def _channel(value: str, wanted: TicketFilter, names: Names) -> dict[str, Any]:
    del wanted, names
    return {"channel": value.lower()}


UNSOLVED: Final[tuple[Status, ...]] = ("new", "open", "pending", "on_hold")

STATES: Final[Mapping[str, dict[str, Any]]] = {
    "unsolved": {"statuses": UNSOLVED},
    "unassigned": {"assignee_id": NOBODY},
    "breached": {"breached": True},
    "snoozed": {"snoozed": True},
    "merged": {"merged": True},
}

FILTERS: Final[Mapping[str, Callable[[str, TicketFilter, Names], dict[str, Any] | None]]] = {
    "is": _is,
    "status": _is,
    "priority": _priority,
    "tag": _tag,
    "assignee": _assignee,
    "team": _team,
    "channel": _channel,
}
