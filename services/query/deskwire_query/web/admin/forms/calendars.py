"""The form of a calendar: a week of intervals, holidays, exceptions."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pydantic import JsonValue

from deskwire_query.web.admin.forms.controls import Control, Drawing, Field, Loc, Problems, Read
from deskwire_query.web.admin.forms.fields import Choice, Line, Several
from deskwire_query.web.admin.forms.form import Form, Part
from deskwire_query.web.admin.forms.groups import Dictionary, Group, Repeat, Table
from deskwire_query.web.admin.forms.trees import Node, Tree, branch, inside, leaves, word
from deskwire_shared.contracts.calendar import WEEKDAYS
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.holiday_places import named_holidays

DAYS: Final = dict(
    zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)
OFFICE_DAY: Final[JsonValue] = [["09:00", "17:00"]]
WORKDAYS: Final = WEEKDAYS[:5]
AHEAD: Final = timedelta(days=365)
MOST_SHOWN: Final = 8


@dataclass(frozen=True, kw_only=True)
class Interval(Field):
    """From one time of day to another."""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        opens, closes = value if isinstance(value, list) else ("", "")
        return {"from": [str(opens)], "to": [str(closes)]}

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        del path, problems
        return [_wall_time(word(branch(node).get("from"))), _wall_time(word(branch(node).get("to")))]

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        ends = tuple(
            Control(widget="line", path=inside(path, name), label=label, example=example, type="wall-time",
                    values=tuple(leaves(branch(node).get(name))[:1]))
            for name, label, example in (("from", "From", "09:00"), ("to", "To", "17:00"))
        )  # fmt: skip
        return Control(widget="interval", path=path, label="", children=ends, problems=drawing.problems.at(path))

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """See `Field.place`."""
        del loc, node
        return path


def _wall_time(text: str) -> str:
    """Write `9` and `9:00` as `09:00`."""
    hours, colon, minutes = text.partition(":")
    return f"{int(hours):02}:{minutes if colon else '00'}" if hours.isdecimal() and len(hours) < 3 else text  # noqa: PLR2004  # digits


HOURS: Final = Repeat(
    name="", item=Interval(name=""), noun="hours", start=["09:00", "17:00"], further=["", ""], most=48, widget="hours"
)

CALENDAR_FORM: Final = Form(
    model=Calendar,
    start={"time_zone": "UTC", "hours": dict.fromkeys(WORKDAYS, OFFICE_DAY)},
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Choice(name="time_zone", label="Time zone", source="time_zone",
                   hint="Hours are wall time there, summer time included."),
        )),
        Part(
            title="Opening hours",
            hint="A day may have several intervals, such as 09:00 to 12:00 and 13:00 to 17:00. "
            "A night shift is split at 24:00.",
            fields=(Table(name="hours", label="Week", keys=tuple(DAYS.items()), cell=HOURS, widget="week"),),
        ),
        Part(title="Holidays", hint="A holiday closes the whole day.", fields=(
            Group(name="holidays", fields=(
                Choice(name="country", label="Public holidays of", source="country", none="No country", shapes=True),
                Choice(name="region", label="Region", source="region", none="The whole country", shapes=True),
                Several(name="yearly", label="Own days of every year", separator="\n", example="12-24",
                        hint="Month and day, one a line."),
                Several(name="dates", label="Own dates", separator="\n", example="2026-05-15",
                        hint="Days that come once, one a line."),
            )),
        )),
        Part(
            title="Exceptions",
            hint="What the hours of one day really are, whatever week and holidays say. A day without hours is closed.",
            fields=(Dictionary(name="exceptions", key=Line(name="", label="Day", type="date"), value=HOURS,
                               noun="exception", most=2000),),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Holiday:
    """A day on which a calendar is closed."""

    day: date
    name: str


def next_holidays(tree: Tree, today: date) -> tuple[Holiday, ...]:
    """The next holidays of a calendar as the form holds it; days that cannot be read are left out."""
    held = branch(tree.get("holidays"))
    country, region = word(held.get("country")), word(held.get("region")) or None
    found: dict[date, str] = {}
    for year in (today.year, today.year + 1):
        found |= _own(held, year)
        found |= named_holidays(country, region, year=year) if country else {}
    soon = sorted(day for day in found if today <= day <= today + AHEAD)
    return tuple(Holiday(day, found[day]) for day in soon[:MOST_SHOWN])


def _own(held: Tree, year: int) -> dict[date, str]:
    yearly = [f"{year}-{day.strip()}" for day in word(held.get("yearly")).split("\n")]
    dates = [day.strip() for day in word(held.get("dates")).split("\n")]
    return {day: "Your own" for day in map(_date, [*yearly, *dates]) if day is not None}


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:  # the form says so when it is saved
        return None
