"""Times, sizes and names in words, as short as a list needs them."""

from datetime import datetime, timedelta
from typing import Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
KILO: Final = 1000
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
