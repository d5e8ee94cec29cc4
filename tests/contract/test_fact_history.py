"""Histories of every age stay readable: one golden JSON per stored fact, never edited once released.

A fact changes by addition: a golden written before a field existed must still parse and lose nothing.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import FACTS, SubjectChanged, UnknownFact, fact_adapter
from deskwire_shared.contracts.upcasts import UPCASTS, UpcastsCircle, upcast
from deskwire_shared.testing.ticket import a_commit, a_ticket

GOLDEN = Path(__file__).parent / "golden"
STORED_NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))


def golden(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{name}.json").read_text())  # type: ignore[no-any-return]


def test_every_fact_has_a_golden() -> None:
    assert set(STORED_NAMES) >= set(FACTS)


def test_every_golden_is_still_known() -> None:
    assert {upcast(golden(name))["type"] for name in STORED_NAMES} <= set(FACTS)


@pytest.mark.parametrize("name", STORED_NAMES)
def test_a_stored_fact_is_read_as_what_it_was(name: str) -> None:
    stored = upcast(golden(name))
    fact = fact_adapter.validate_python(stored)
    assert type(fact) is FACTS[stored["type"]]
    assert fact == fact_adapter.validate_json(json.dumps(stored))


@pytest.mark.parametrize("name", [name for name in STORED_NAMES if name not in UPCASTS])
def test_a_stored_fact_is_written_as_it_was(name: str) -> None:
    fact = fact_adapter.validate_python(golden(name))
    assert fact.model_dump(mode="json", exclude_unset=True) == golden(name)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_golden_shows_every_field_that_has_no_default(name: str) -> None:
    required = {field for field, info in FACTS[name].model_fields.items() if info.is_required()}
    assert required <= set(golden(name))


@pytest.mark.parametrize("name", STORED_NAMES)
def test_a_stored_fact_can_be_folded(name: str) -> None:
    fact = fact_adapter.validate_python(upcast(golden(name)))
    assert a_ticket(fact).version == a_ticket().version + 1


@pytest.mark.parametrize("name", STORED_NAMES)
def test_a_commit_comes_back_with_the_same_facts(name: str) -> None:
    commit = a_commit(fact_adapter.validate_python(upcast(golden(name))))
    assert Commit.model_validate_json(commit.model_dump_json()) == commit


def test_facts_of_a_newer_version_are_skipped() -> None:
    unknown = UnknownFact(type="ticket.teleported.v1", data={"where": "Mars"})
    assert a_ticket(unknown).subject == a_ticket().subject


def test_fields_of_a_newer_version_are_skipped() -> None:
    stored = golden("ticket.subject_changed.v1")
    assert fact_adapter.validate_python(stored | {"mood": "grim"}) == fact_adapter.validate_python(stored)


def renamed(stored: dict[str, Any]) -> dict[str, Any]:
    return {**stored, "type": "ticket.titled.v2"}


def reworded(stored: dict[str, Any]) -> dict[str, Any]:
    title = stored.pop("title")
    return {**stored, "type": "ticket.subject_changed.v1", "before": "", "after": title}


OLD_TITLE = {"type": "ticket.titled.v1", "person_id": "p1", "title": "Fire"}


def test_an_old_fact_is_carried_to_today_step_by_step() -> None:
    upcasts = {"ticket.titled.v1": renamed, "ticket.titled.v2": reworded}
    fact = fact_adapter.validate_python(upcast(OLD_TITLE, upcasts))
    assert fact == SubjectChanged(person_id="p1", before="", after="Fire")


def test_an_upcast_leaves_what_is_stored_alone() -> None:
    before = dict(OLD_TITLE)
    upcast(OLD_TITLE, {"ticket.titled.v1": renamed, "ticket.titled.v2": reworded})
    assert before == OLD_TITLE


def test_upcasts_that_lead_in_a_circle_are_found() -> None:
    def back(stored: dict[str, Any]) -> dict[str, Any]:
        return {**stored, "type": "ticket.titled.v1"}

    with pytest.raises(UpcastsCircle):
        upcast(OLD_TITLE, {"ticket.titled.v1": renamed, "ticket.titled.v2": back})


def test_a_fact_of_today_needs_no_upcast() -> None:
    assert not set(UPCASTS) & set(FACTS)
    assert upcast(golden("ticket.merged.v1")) == golden("ticket.merged.v1")
