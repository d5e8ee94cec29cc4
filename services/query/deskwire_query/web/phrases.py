"""Times, sizes and names in words, as short as a list needs them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from deskwire_shared.contracts.calendar import WEEKDAYS, Intervals, Weekday

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
KILO: Final = 1000
DASH: Final = "\N{EN DASH}"
LONG_AGO_DAYS: Final = 14


def span(seconds: float) -> str:
    """Say a length of time: `45 s`, `24 min`, `3 h`, `2 d`."""
    seconds = abs(seconds)
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min"
    if seconds < DAY:
        hours, minutes = divmod(seconds // MINUTE, 60)
        return f"{hours:.0f} h {minutes:.0f} min" if hours < 3 and minutes else f"{hours:.0f} h"  # noqa: PLR2004
    days, hours = divmod(seconds // HOUR, 24)
    return f"{days:.0f} d {hours:.0f} h" if days < 3 and hours else f"{days:.0f} d"  # noqa: PLR2004


def amount(seconds: int, *, in_calendar: bool) -> str:
    """Say a promised time exactly; in days only where each of their 24 hours counts."""
    sizes = {"d": DAY, "h": HOUR, "min": MINUTE, "s": 1}
    if in_calendar:
        del sizes["d"]
    said = []
    for unit, size in sizes.items():
        count, seconds = divmod(seconds, size)
        said += [f"{count} {unit}"] if count else []
    return " ".join(said) or "0 s"


def week(hours: Mapping[Weekday, Intervals]) -> str:
    """Say when a week is open, its days in order, and those that are alike together."""
    said = []
    for spans, alike in groupby(WEEKDAYS, key=lambda day: tuple(hours.get(day, ()))):
        days = [day.capitalize() for day in alike]
        named = days[0] if len(days) == 1 else f"{days[0]}{DASH}{days[-1]}"
        said += [f"{named} {', '.join(f'{opens}{DASH}{closes}' for opens, closes in spans)}"] if spans else []
    return " · ".join(said) or "Never open"


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was: `now`, `5 min`, `3 h`, `2 d`, `12 Mar`, `12 Mar 2024`."""
    seconds = max((now - moment).total_seconds(), 0)
    if seconds < MINUTE:
        return "now"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min"
    if seconds < DAY:
        return f"{seconds // HOUR:.0f} h"
    if seconds < LONG_AGO_DAYS * DAY:
        return f"{seconds // DAY:.0f} d"
    day = f"{moment.day} {moment:%b}"
    return day if moment.year == now.year else f"{day} {moment.year}"


def due(moment: datetime, now: datetime) -> str:
    """Say when something is due: `in 24 min`, `2 h late`."""
    left: timedelta = moment - now
    return f"in {span(left.total_seconds())}" if left >= timedelta() else f"{span(left.total_seconds())} late"


def size(count: int) -> str:
    """Say a file's size: `812 B`, `45 kB`, `3.2 MB`."""
    if count < KILO:
        return f"{count} B"
    if count < KILO**2:
        return f"{count / KILO:.0f} kB"
    return f"{count / KILO**2:.1f} MB"


def initials(name: str) -> str:
    """Shorten a name to one or two letters."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper() or "?"


def label(value: str | None) -> str:
    """Write a stored word for people: `on_hold` becomes `On hold`."""
    return (value or "").replace("_", " ").capitalize()


def hue(key: str) -> int:
    """Give a person a colour, always the same one: one of 12 hues."""
    return sum(key.encode()) % 12
