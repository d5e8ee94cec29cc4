"""Reads draft teams, calendars and agents from files."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from deskwire_routing.configuration.documents import Configured, Fault, FaultyConfiguration
from deskwire_routing.configuration.files import content_of, read_configuration
from deskwire_routing.rehearsal.assignment.drafts import AgentDraft, AssignmentDraft, DocumentId
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.staff import Team

AGENTS: Final[TypeAdapter[dict[str, AgentDraft]]] = TypeAdapter(dict[DocumentId, AgentDraft])


def read_draft(configuration: Iterable[Path], agents: Path | None) -> AssignmentDraft:
    """Read teams and calendars as `deskwire export` writes them, and what is different about agents by their ids.

    Raises FaultyConfiguration.
    """
    configured = read_configuration(configuration, alone="team")
    if faults := list(_strangers(configured)):
        raise FaultyConfiguration(faults)
    return AssignmentDraft(
        teams={one.key.id: one.document for one in configured if isinstance(one.document, Team)},
        calendars={one.key.id: one.document for one in configured if isinstance(one.document, Calendar)},
        agents=_agents(agents) if agents is not None else {},
    )


def _strangers(configured: Iterable[Configured]) -> Iterator[Fault]:
    for one in configured:
        if not isinstance(one.document, Team | Calendar):
            sentence = f"teams and calendars are rehearsed here, this is a {one.key.kind}"
            yield Fault(one.file, one.place, sentence)


def _agents(file: Path) -> dict[str, AgentDraft]:
    try:
        return AGENTS.validate_json(content_of(file))
    except ValidationError as error:
        raise FaultyConfiguration(
            Fault(file.as_posix(), ".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()
        ) from error
