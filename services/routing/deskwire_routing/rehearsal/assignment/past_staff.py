"""Agents, teams and calendars as they were at a moment of the past, with drafts laid over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft
from deskwire_shared.contracts.directory import Calendar, Entry
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Change, D, Directory

KINDS: Final[Mapping[str, type[Document]]] = {"agent": Agent, "team": Team, "calendar": Calendar}
"""What assignment depends on, by name."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A document as it was from a moment on; None when it was deleted."""

    entry: Entry
    document: Document | None


async def changes_of(directory: Directory, *, agent_ids: Iterable[str], team_ids: Iterable[str]) -> list[Changed]:
    """Read how the staff changed, oldest first; those who are gone by now have to be named."""
    found = [
        *await _histories(directory, Agent, {*directory.all(Agent), *agent_ids}),
        *await _histories(directory, Team, {*directory.all(Team), *team_ids}),
    ]
    staffed = (one.document for one in found if isinstance(one.document, Agent | Team))
    calendar_ids = filter(None, (document.calendar_id for document in staffed))
    found += await _histories(directory, Calendar, {*directory.all(Calendar), *calendar_ids})
    return sorted(found, key=lambda one: (one.entry.at, one.entry.sequence))


async def _histories(directory: Directory, model: type[D], ids: Iterable[str]) -> list[Changed]:
    return [
        Changed(entry, document)
        for document_id in sorted(ids)
        for entry, document in await directory.history(model, document_id)
    ]


class PastStaff:
    """The staff as of the last change that was applied; drafts hold from the beginning."""

    def __init__(self, draft: AssignmentDraft, known_agents: Iterable[str]) -> None:
        self._draft = draft
        self._fixed: Mapping[tuple[str, str], Document] = {
            **{("team", team_id): team for team_id, team in draft.teams.items()},
            **{("calendar", calendar_id): calendar for calendar_id, calendar in draft.calendars.items()},
        }
        new = sorted(draft.agents.keys() - set(known_agents))
        self._live: dict[tuple[str, str], Document] = {
            **self._fixed,
            **{("agent", agent_id): draft.agents[agent_id].new(agent_id) for agent_id in new},
        }
        self._revisions: dict[tuple[str, str], int] = {}
        self._agents: dict[str, list[tuple[Entry, Agent | None]]] = {}
        self._listeners: list[Change] = []

    def apply(self, changed: Changed) -> bool:
        """Let a change happen; whether anything is different now."""
        entry, document = changed.entry, changed.document
        key = entry.kind, entry.id
        self._revisions[key] = entry.revision
        if key in self._fixed:
            return False
        if isinstance(document, Agent) and entry.id in self._draft.agents:
            document = self._draft.agents[entry.id].over(document)
        if entry.kind == "agent":
            agent = document if isinstance(document, Agent) else None
            self._agents.setdefault(entry.id, []).append((entry, agent))
        if document is None:
            self._live.pop(key, None)
        else:
            self._live[key] = document
        for listener in self._listeners:
            listener(entry)
        return True

    def history(self, agent_id: str) -> Sequence[tuple[Entry, Agent | None]]:
        """Every change of an agent so far, oldest first."""
        return self._agents.get(agent_id, ())

    def get(self, model: type[D], document_id: str) -> D | None:
        """See `Documents.get`."""
        document = self._live.get((_kind(model), document_id))
        return document if isinstance(document, model) else None

    def all(self, model: type[D]) -> Mapping[str, D]:
        """See `Documents.all`."""
        return {key[1]: document for key, document in self._live.items() if isinstance(document, model)}

    def revision(self, model: type[Document], document_id: str) -> int:
        """See `Documents.revision`."""
        return self._revisions.get((_kind(model), document_id), 0)

    def on_change(self, listener: Change) -> None:
        """See `Documents.on_change`."""
        self._listeners.append(listener)


def _kind(model: type[Document]) -> str:
    return str(model.model_fields["kind"].default)
