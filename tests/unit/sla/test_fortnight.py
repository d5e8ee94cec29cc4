"""A scripted fortnight of a desk: all that is noted equals what an oracle finds by counting seconds."""

from random import Random

import pytest

from sla_comparison import compare

TICKETS = 500
"""`make bench ONLY=sla_fortnights` lives through many fortnights with more."""


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_warned_missed_and_met_promise_of_a_fortnight_is_the_oracles(
    request: pytest.FixtureRequest,
) -> None:
    found = await compare(TICKETS, Random(request.config.getoption("randomly_seed", 1)))
    assert found.differing == []
    assert min(found.counted[what] for what in ("warned", "breached", "met")) > TICKETS / 2
    assert found.fired > TICKETS
