"""What a calendar file asks for (RFC 5545, RFC 5546): one event, never its repetitions."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Final

from icalendar import Calendar
from icalendar.cal.component import Component

from deskwire_intake.mail.headers import one_line
from deskwire_shared.contracts.mails import Invitation, InvitationMethod

MAX_BYTES = 256 * 1024
MAX_LINE = 300

_METHODS: Final[dict[str, InvitationMethod]] = {
    "request": "request", "publish": "request", "add": "request", "cancel": "cancel", "reply": "reply",
}  # fmt: skip
_ANSWERS: Final = {"accepted": "accepted", "declined": "declined", "tentative": "accepted tentatively"}


def read_invitation(content: bytes) -> Invitation | None:
    """Read the first event of a calendar file. Raises what the calendar reader cannot bear."""
    if len(content) > MAX_BYTES:
        return None
    calendars = Calendar.from_ical(b"\n".join(_without_time_zones(content)), multiple=True)
    for calendar in calendars:
        for event in calendar.walk("VEVENT"):
            return _invitation(calendar, event)
    return None


def _without_time_zones(content: bytes) -> Iterator[bytes]:
    """Leave out time zones that senders define: rules of theirs could keep us busy, or last beyond this mail."""
    inside = False
    for line in content.splitlines():
        named = line.strip().upper()
        inside = inside or named == b"BEGIN:VTIMEZONE"
        if not inside:
            yield line
        if named == b"END:VTIMEZONE":
            inside = False


def _invitation(calendar: Component, event: Component) -> Invitation:
    starts_at, ends_at = _times(event)
    return Invitation(
        method=_METHODS.get(_line(calendar.get("METHOD", "")).lower(), "other"),
        summary=_line(event.get("SUMMARY", "")),
        starts_at=None if starts_at is None else _moment(starts_at),
        ends_at=None if ends_at is None else _moment(ends_at),
        all_day=starts_at is not None and not isinstance(starts_at, datetime),
        time_zone=_time_zone(event, starts_at),
        repeats="RRULE" in event or "RDATE" in event,
        location=_line(event.get("LOCATION", "")),
        organiser=_person(event.get("ORGANIZER", "")),
        answer=_answer(event),
    )


def _times(event: Component) -> tuple[date | None, date | None]:
    """Give when it begins and when it ends; whole days end with the last of them (RFC 5545, 3.6.1)."""
    start, end = _value(event, "DTSTART"), _value(event, "DTEND")
    duration = event.get("DURATION")
    if end is None and start is not None and duration is not None and isinstance(duration.dt, timedelta):
        end = start + duration.dt
    if end is not None and not isinstance(end, datetime):
        end -= timedelta(days=1)
    return start, end


def _value(event: Component, name: str) -> date | None:
    value = getattr(event.get(name), "dt", None)
    return value if isinstance(value, date) else None


def _moment(value: date) -> datetime:
    """Give a time with a fixed offset, since the rules of its zone are nothing to hand on."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    offset = value.utcoffset()
    return value.replace(tzinfo=None if offset is None else timezone(offset))


def _time_zone(event: Component, starts_at: date | None) -> str:
    if not isinstance(starts_at, datetime):
        return ""
    named = _line(event["DTSTART"].params.get("TZID", ""))
    return named or ("" if starts_at.tzinfo is None else "UTC")


def _person(value: Any) -> str:
    address = _line(value).removeprefix("mailto:").removeprefix("MAILTO:")
    name = _line(getattr(value, "params", {}).get("CN", ""))
    return f"{name} <{address}>" if name and name != address else address


def _answer(event: Component) -> str:
    """Tell who answered how."""
    attendees = event.get("ATTENDEE", [])
    first = attendees[0] if isinstance(attendees, list) and attendees else attendees
    answer = _ANSWERS.get(_line(getattr(first, "params", {}).get("PARTSTAT", "")).lower())
    return f"{_person(first)} {answer}" if answer else ""


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    return one_line(text.encode("utf-8", "replace").decode(), MAX_LINE)
