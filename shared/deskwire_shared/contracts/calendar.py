"""The calendar document: when a support organisation is open.

    {"name": "Berlin office", "time_zone": "Europe/Berlin",
     "hours": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]]},
     "holidays": {"country": "DE", "region": "BE", "dates": ["2026-05-15"], "yearly": ["12-24"]},
     "exceptions": {"2026-12-31": [["09:00", "12:00"]], "2027-01-04": []}}

A holiday closes the day; an exception says what its day really is, and wins over hours and holidays.
"""

import re
import warnings
from calendar import isleap
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

_WALL_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_OF_YEAR = re.compile(r"\d{2}-\d{2}", re.ASCII)
_ZONE_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_LEAP_YEAR = "2000"


def _wall_time(text: str) -> str:
    if not _WALL_TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time of day: write HH:MM from 00:00 to 24:00")
    return text


def _interval(interval: tuple[str, str]) -> tuple[str, str]:
    opens, closes = interval
    if opens >= closes:
        raise ValueError(f"{opens}-{closes} does not end after it starts: split a night shift at 24:00")
    return interval


def _intervals(intervals: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    ordered = tuple(sorted(intervals))
    for (opens, closes), (next_opens, next_closes) in pairwise(ordered):
        if next_opens < closes:
            raise ValueError(f"{opens}-{closes} and {next_opens}-{next_closes} overlap")
    return ordered


def _date(value: object) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(f"{value!r} is not a date: write YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"there is no {value}: {error}") from error


def _day_of_year(text: str) -> str:
    if not _DAY_OF_YEAR.fullmatch(text):
        raise ValueError(f"{text!r} is not a day of the year: write MM-DD")
    _date(f"{_LEAP_YEAR}-{text}")
    return text


def _time_zone(name: str) -> str:
    if not _ZONE_NAME.fullmatch(name):  # keeps out files of the host such as "localtime" and "right/UTC"
        raise ValueError(f"unknown time zone {name!r}: write an IANA name such as Europe/Berlin")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:  # OSError: a folder such as "Europe"
        raise ValueError(f"unknown time zone {name!r}: write an IANA name such as Europe/Berlin") from error
    return name


WallTime = Annotated[str, AfterValidator(_wall_time)]
Interval = Annotated[tuple[WallTime, WallTime], AfterValidator(_interval)]
Intervals = Annotated[tuple[Interval, ...], Field(max_length=48), AfterValidator(_intervals)]
Date = Annotated[date, BeforeValidator(_date)]
DayOfYear = Annotated[str, AfterValidator(_day_of_year)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]


def _occurs(day: str, year: int) -> bool:
    return day != "02-29" or isleap(year)


class Holidays(BaseModel):
    """The days an organisation is closed: public holidays, dates of its own and days of every year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    region: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    dates: Annotated[tuple[Date, ...], Field(max_length=2000)] = ()
    yearly: Annotated[tuple[DayOfYear, ...], Field(max_length=366)] = ()

    @model_validator(mode="after")
    def _known_place(self) -> Self:
        if self.region and not self.country:
            raise ValueError(f"region {self.region!r} needs a country")
        if self.country:
            public_holidays(self.country, self.region, year=2000)
        return self

    def in_year(self, year: int) -> frozenset[date]:
        """Every day of a year that is a holiday."""
        public = public_holidays(self.country, self.region, year=year) if self.country else frozenset()
        own = (day for day in self.dates if day.year == year)
        every_year = (_date(f"{year:04}-{day}") for day in self.yearly if _occurs(day, year))
        return public.union(own, every_year)


def public_holidays(country: str, region: str | None, *, year: int) -> frozenset[date]:
    """Look up the public holidays of a country or one of its regions, substitute days included.

    Raises ValueError for a country or region that is not known.
    """
    import holidays  # noqa: PLC0415 - takes longer to import than the rest of a service

    if not hasattr(holidays, country):
        raise ValueError(f"unknown country {country!r}: write an ISO 3166 code such as DE")
    with warnings.catch_warnings():
        # Countries with a lunar calendar warn about years whose days are not announced yet.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return frozenset(holidays.country_holidays(country, subdiv=region, years=year))
        except NotImplementedError as error:
            raise ValueError(f"unknown region {region!r} of country {country!r}") from error


class Calendar(BaseModel):
    """When a support organisation is open, in the wall time of one time zone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    time_zone: TimeZone
    hours: dict[Weekday, Intervals] = {}
    """A week's intervals, such as `{"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}`; a day left out is closed."""
    holidays: Holidays = Holidays()
    """Days that are closed, whatever the week says."""
    exceptions: Annotated[dict[Date, Intervals], Field(max_length=2000)] = {}
    """What single days really are, whatever week and holidays say; no intervals are a closed day."""

    @model_validator(mode="after")
    def _opens_at_all(self) -> Self:
        if not any(self.hours.values()) and not any(self.exceptions.values()):
            raise ValueError("the calendar is never open: give hours or an open exception")
        return self


ALWAYS_OPEN = Calendar(name="24/7", time_zone="UTC", hours=dict.fromkeys(WEEKDAYS, (("00:00", "24:00"),)))
