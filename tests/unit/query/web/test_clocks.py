from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from deskwire_query.reading.read_models import SlaClockView
from deskwire_query.web.clocks import PROMISES, most_pressing, read_clock
from deskwire_shared.contracts.facts import Metric

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def a_clock(minutes: float = 60, **changes: Any) -> SlaClockView:
    usual: dict[str, Any] = {
        "metric": "first_response", "cycle": 1, "state": "running", "target": 3600, "used": 0,
        "due_at": NOW + timedelta(minutes=minutes), "warn_at": NOW + timedelta(minutes=minutes - 15),
    }  # fmt: skip
    return SlaClockView(**{**usual, **changes})


def test_a_promise_far_ahead_is_calm() -> None:
    reading = read_clock(a_clock(60), NOW)
    assert (reading.promise, reading.words, reading.tone) == ("First reply", "in 1 h", "fine")


def test_a_promise_past_its_warning_is_soon() -> None:
    assert read_clock(a_clock(10), NOW).tone == "soon"
    assert read_clock(a_clock(60, warned=True), NOW).tone == "soon"


def test_a_promise_past_its_time_is_late() -> None:
    reading = read_clock(a_clock(-30), NOW)
    assert (reading.words, reading.tone) == ("30 min late", "late")


def test_a_paused_promise_has_no_time() -> None:
    reading = read_clock(a_clock(state="paused", due_at=None, warn_at=None), NOW)
    assert (reading.words, reading.tone, reading.due_at) == ("paused", "quiet", None)


def test_a_promise_that_was_kept_says_how_long_it_took() -> None:
    assert read_clock(a_clock(state="met", used=1200), NOW).words == "met after 20 min"
    assert read_clock(a_clock(state="met", used=7200, breached=True), NOW).tone == "late"


def test_tone_and_icon_say_the_same() -> None:
    icons = {read_clock(a_clock(minutes), NOW).icon for minutes in (-1, 5, 60)}
    assert len(icons) == 3


def test_a_list_shows_the_running_promise_that_is_due_first() -> None:
    clocks = [a_clock(90), a_clock(30, metric="resolution"), a_clock(state="paused", due_at=None)]
    reading = most_pressing(clocks, NOW)
    assert reading is not None
    assert reading.words == "in 30 min"


def test_a_list_shows_a_pause_when_nothing_runs_and_nothing_when_nothing_is_promised() -> None:
    paused = most_pressing([a_clock(state="met"), a_clock(state="paused", due_at=None)], NOW)
    assert paused is not None
    assert paused.words == "paused"
    assert most_pressing([a_clock(state="met")], NOW) is None


def test_every_promise_has_a_name() -> None:
    assert set(PROMISES) == set(get_args(Metric))
