"""The forms of the administration offer what the directory accepts."""

from typing import Any

from deskwire_query.web.admin_forms import FORMS
from deskwire_shared.contracts.staff import Team


def test_every_way_of_assigning_can_be_chosen_for_a_team() -> None:
    (field,) = (each for each in FORMS["teams"].fields if each.name == "assignment")
    accepted = Team.model_json_schema()["properties"]["assignment"]
    assert {value for value, _ in field.options} == _choices(accepted)


def _choices(schema: dict[str, Any]) -> set[str]:
    """Every literal in a schema, and in what it is any of."""
    return set(schema.get("enum", ())).union(*(_choices(option) for option in schema.get("anyOf", ())))
