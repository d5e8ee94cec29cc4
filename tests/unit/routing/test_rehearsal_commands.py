"""How a rehearsal of rules is told on the terminal."""

import pytest
from pydantic import JsonValue

from deskwire_routing.rehearsal.rules.commands import shown

NAMES = {"night": "Night shift", "ada": "Ada Lovelace"}


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("team", "night", "Night shift"),
        ("assignee", None, "null"),
        ("followers", ["ada", "gone"], "Ada Lovelace, gone"),
        ("followers", [], "[]"),
        ("tags", ["night"], '["night"]'),
        ("priority", "urgent", '"urgent"'),
    ],
)
def test_teams_and_agents_are_named_and_all_else_is_shown_as_it_is(what: str, value: JsonValue, words: str) -> None:
    assert shown(what, value, lambda key: NAMES.get(key, key)) == words
