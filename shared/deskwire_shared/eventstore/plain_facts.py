"""Reads what stands unsealed in stored commits; it needs no keys, so it is quick enough for the whole log."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import FACTS, Fact, PersonalFact
from deskwire_shared.contracts.upcasts import StoredFact, upcast
from deskwire_shared.eventstore.port import BrokenHistory, Tip


@dataclass(frozen=True, slots=True)
class PlainCommit:
    """A commit as it is stored: who, why and the facts as JSON, with their personal fields sealed."""

    commit_id: str
    ticket_id: str
    version: int
    at: datetime
    actor: Actor
    correlation_id: str
    chain: str
    facts: tuple[StoredFact, ...]

    def of(self, *models: type[Fact]) -> list[Fact]:
        """The facts of some kinds, none of which may hold personal data. Raises BrokenHistory."""
        assert not any(issubclass(model, PersonalFact) for model in models)
        wanted = {name for name, model in FACTS.items() if model in models}
        try:
            stored = [upcast(fact) for fact in self.facts]
            return [FACTS[fact["type"]].model_validate(fact) for fact in stored if fact["type"] in wanted]
        except (KeyError, ValidationError) as error:
            raise BrokenHistory(f"commit {self.commit_id} holds what is no fact: {error!r}") from error


_plain_commit: TypeAdapter[PlainCommit] = TypeAdapter(PlainCommit)


def plain_commit(raw: bytes) -> PlainCommit:
    """Read the unsealed part of a stored commit. Raises BrokenHistory when the bytes are no commit."""
    try:
        return _plain_commit.validate_json(raw)
    except ValidationError as error:
        raise BrokenHistory(f"not a commit: {error}") from error


def tip_of(raw: bytes, sequence: int) -> Tip:
    """Where a history ends whose last commit is stored under a sequence."""
    last = plain_commit(raw)
    return Tip(sequence, last.version, last.chain)


def mentions(facts: str, wanted: Collection[str]) -> bool:
    """Whether a list of stored names, as the header has it, holds a wanted one; a missing list may hold all."""
    return not facts or not set(facts.split(",")).isdisjoint(wanted)
