"""What tags ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_routing.assignment.skills import MOST, Demand, demand


def test_tags_ask_for_skills_and_how_much_of_them() -> None:
    asked = demand(("skill:german", "skill:billing:4", "prefer:refunds", "vip"))
    assert asked == Demand(required=(("german", 1), ("billing", 4)), preferred=("refunds",))


def test_of_two_levels_the_higher_one_is_needed() -> None:
    assert demand(("skill:german:2", "skill:german:4", "skill:german")).required == (("german", 4),)


@pytest.mark.parametrize(
    "tag", ["skill:", "skill:german:0", "skill:german:6", "skill:german:3:1", "skill:a b", "skills:german", "xskill:a",
            "skill:german:٣", f"skill:{'a' * 41}"],
)  # fmt: skip
def test_a_tag_that_is_not_written_like_a_skill_asks_for_none(tag: str) -> None:
    assert demand((tag,)) == Demand()


def test_a_missing_skill_is_named_with_the_level_that_is_needed() -> None:
    asked = demand(("skill:german:3",))
    assert asked.missing({"german": 2}) == "german at 3"
    assert asked.missing({"german": 3}) is None
    assert demand(("skill:german",)).missing({}) == "german"


def test_a_ticket_asks_for_so_many_skills_and_no_more() -> None:
    asked = demand(tuple(f"skill:s{number}" for number in range(100)))
    assert len(asked.required) == MOST


@given(st.lists(st.text(max_size=64), max_size=10))
def test_no_tag_breaks_the_reading(tags: list[str]) -> None:
    assert isinstance(demand(tuple(tags)), Demand)
