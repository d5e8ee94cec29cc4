"""A fortnight of a desk, written down in plain words and seconds: what happens on tickets, and what the admin changes.

Both the desk and the oracle read it, so it uses neither's types. It spans the change to summer time in Europe.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

START = datetime(2026, 3, 20, tzinfo=UTC)
DAY = 86_400
DAYS = 14
END = DAYS * DAY
MINUTE, HOUR = 60, 3_600

METRICS = ("first_response", "next_response", "periodic_update", "resolution")
PRIORITIES = ("low", "normal", "high", "urgent")
HAPPENINGS = {
    "customer writes": 5, "machine writes": 1, "agent answers": 6, "automation answers": 1, "agent takes back": 1,
    "pending": 3, "on_hold": 2, "open": 2, "solved": 3, "closed": 1, "merged": 1,
    "low": 1, "normal": 1, "high": 1, "urgent": 1,
}  # fmt: skip
LAST_ONES = {"closed", "merged"}
TAKEN_BACK_AFTER = 20
"""Seconds between an answer and its withdrawal."""


@dataclass(frozen=True)
class Happening:
    """Something that happens on a ticket, so many seconds after the start."""

    second: int
    what: str


@dataclass(frozen=True)
class Life:
    """A ticket from its opening on."""

    number: int
    opened: int
    priority: str
    is_vip: bool
    happenings: list[Happening] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """A document that an administrator stores."""

    second: int
    kind: str
    id: str
    document: dict[str, Any]


def moment(second: int) -> datetime:
    """When that is."""
    return START + timedelta(seconds=second)


def lives(count: int, random: Random) -> list[Life]:
    """So many tickets, opened within the first twelve days."""
    return [_life(number, random) for number in range(count)]


def _life(number: int, random: Random) -> Life:
    opened = random.randrange(END - 2 * DAY)
    happenings = list(_happenings(opened, random))
    return Life(number, opened, random.choice(PRIORITIES), random.random() < 0.2, happenings)


def _happenings(second: int, random: Random) -> Iterator[Happening]:
    for _ in range(random.randrange(14)):
        second += MINUTE + int(random.expovariate(1 / (random.choice([10 * MINUTE, 3 * HOUR, DAY]))))
        if second >= END:
            return
        (what,) = random.choices(list(HAPPENINGS), list(HAPPENINGS.values()))
        yield Happening(second, what)
        if what in LAST_ONES:
            return


def targets(**hours: float) -> list[dict[str, Any]]:
    """Promises by metric in hours at normal priority; others get more or less."""
    scale = {"low": 2.0, "normal": 1.0, "high": 0.5, "urgent": 0.25}
    return [
        {"metric": metric, "seconds": {priority: int(hour * HOUR * share) for priority, share in scale.items()}}
        for metric, hour in hours.items()
    ]


OFFICE = {
    "name": "Office", "time_zone": "Europe/Berlin",
    "hours": {day: [["09:00", "12:00"], ["13:00", "17:30"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": {"dates": ["2026-03-24"]},
    "exceptions": {"2026-03-28": [["10:00", "14:00"]]},
}  # fmt: skip
NIGHT = {
    "name": "Night shift", "time_zone": "America/New_York",
    "hours": {
        day: [["00:00", "06:00"], ["20:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    },
}  # fmt: skip
STANDARD = {
    "name": "Standard", "order": 9, "calendar_id": "office",
    "targets": targets(first_response=2, next_response=3, resolution=16),
}  # fmt: skip
URGENT = {
    "name": "Urgent", "order": 2, "calendar_id": "night", "warn_at": [0.5, 0.8],
    "conditions": {"all": [{"field": "ticket.priority", "op": "is", "value": "urgent"}]},
    "targets": targets(first_response=4, next_response=6, periodic_update=8, resolution=40),
}  # fmt: skip
VIP = {
    "name": "VIP", "order": 1, "warn_at": [0.9], "pause_on": ["pending"],
    "conditions": {"all": [{"field": "ticket.tags", "op": "contains", "value": "vip"}]},
    "targets": targets(first_response=1, periodic_update=6, resolution=24),
}  # fmt: skip


def changes() -> list[Change]:
    """What the administrator stores, from the first second on."""
    longer_days = {**OFFICE, "hours": {**OFFICE["hours"], "sat": [["10:00", "13:00"]]}, "exceptions": {}}  # type: ignore[dict-item]
    with_updates = targets(first_response=1.5, next_response=3, periodic_update=5, resolution=12)
    return [
        Change(0, "calendar", "office", OFFICE),
        Change(0, "calendar", "night", NIGHT),
        Change(0, "sla_policy", "standard", STANDARD),
        Change(0, "sla_policy", "urgent", URGENT),
        Change(3 * DAY + 40_000, "sla_policy", "vip", VIP),
        Change(4 * DAY + 31_111, "sla_policy", "standard", {**STANDARD, "targets": targets(first_response=1)}),
        Change(6 * DAY + 47_321, "calendar", "office", longer_days),
        Change(8 * DAY + 50_003, "sla_policy", "standard",
               {**STANDARD, "targets": with_updates, "warn_at": [0.6, 0.85], "pause_on": ["pending"]}),
        Change(10 * DAY + 35_000, "sla_policy", "urgent", {**URGENT, "pause_on": ["on_hold"], "calendar_id": "office"}),
        Change(11 * DAY + 41_237, "sla_policy", "vip", {**VIP, "active": False}),
    ]  # fmt: skip
