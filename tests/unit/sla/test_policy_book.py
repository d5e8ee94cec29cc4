"""The policies of the directory, made ready."""

from datetime import datetime, timedelta

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.runtime.clock import ManualClock
from deskwire_sla.calendars import due
from deskwire_sla.policy_book import PolicyBook
from sla_stories import HOUR, a_policy, at

ADMIN = Actor(kind="agent", id="root")


def a_calendar(opens: str) -> Calendar:
    return Calendar.model_validate({"name": "Office", "time_zone": "UTC", "hours": {"mon": [[opens, "17:00"]]}})


def a_directory(now: datetime) -> tuple[MemoryDirectory, ManualClock]:
    clock = ManualClock(now)
    return MemoryDirectory(MemoryKeyRing(), clock.now), clock


async def test_a_policy_without_a_calendar_counts_day_and_night() -> None:
    directory, _ = a_directory(at("08:00"))
    await directory.put("standard", a_policy(), actor=ADMIN)
    terms = (await PolicyBook(directory).terms())["standard"]
    assert terms.hours is not None
    assert due(terms.hours, at("23:30"), HOUR) == at("00:30", day=1)
    assert (terms.revision, terms.calendar_revision, terms.since) == (1, 0, at("08:00"))


async def test_a_policy_counts_the_hours_of_its_calendar_as_they_are_now() -> None:
    directory, clock = a_directory(at("08:00"))
    await directory.put("office", a_calendar("09:00"), actor=ADMIN)
    await directory.put("standard", a_policy(calendar_id="office"), actor=ADMIN)
    book = PolicyBook(directory)
    terms = (await book.terms())["standard"]
    assert (terms.calendar_revision, terms.hours and due(terms.hours, at("08:00"), HOUR)) == (1, at("10:00"))
    clock.advance(timedelta(hours=1))
    await directory.put("office", a_calendar("12:00"), actor=ADMIN)
    terms = (await book.terms())["standard"]
    assert (terms.calendar_revision, terms.hours and due(terms.hours, at("08:00"), HOUR)) == (2, at("13:00"))
    assert terms.since == at("08:00")


async def test_terms_count_from_the_revision_that_holds() -> None:
    directory, clock = a_directory(at("08:00"))
    book = PolicyBook(directory)
    await directory.put("standard", a_policy(), actor=ADMIN)
    assert (await book.terms())["standard"].since == at("08:00")
    clock.advance(timedelta(hours=1))
    await directory.put("standard", a_policy(name="Other"), actor=ADMIN)
    terms = (await book.terms())["standard"]
    assert (terms.revision, terms.since, terms.policy.name) == (2, at("09:00"), "Other")


async def test_terms_are_made_once_a_revision() -> None:
    directory, _ = a_directory(at("08:00"))
    await directory.put("standard", a_policy(), actor=ADMIN)
    book = PolicyBook(directory)
    assert (await book.terms())["standard"] is (await book.terms())["standard"]


async def test_a_missing_calendar_leaves_no_hours_until_it_is_there() -> None:
    directory, _ = a_directory(at("08:00"))
    await directory.put("standard", a_policy(calendar_id="office"), actor=ADMIN)
    book = PolicyBook(directory)
    assert (await book.terms())["standard"].hours is None
    await directory.put("office", a_calendar("09:00"), actor=ADMIN)
    assert (await book.terms())["standard"].hours is not None
    await directory.delete(Calendar, "office", actor=ADMIN)
    assert (await book.terms())["standard"].hours is None


async def test_a_deleted_policy_has_no_terms() -> None:
    directory, _ = a_directory(at("08:00"))
    await directory.put("standard", a_policy(), actor=ADMIN)
    book = PolicyBook(directory)
    await book.terms()
    await directory.delete(type(a_policy()), "standard", actor=ADMIN)
    assert await book.terms() == {}
