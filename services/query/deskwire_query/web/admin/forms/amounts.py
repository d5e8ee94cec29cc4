"""Amounts of time and shares as people write them: `4h`, `2d`, `75 %`."""

import re
from functools import partial
from typing import Final

from pydantic import JsonValue

from deskwire_query.web.admin.forms.fields import Written

UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
WORDS: Final = {"week": "w", "day": "d", "hour": "h", "minute": "m", "min": "m", "second": "s", "sec": "s"}
HOW: Final = "Write an amount of time such as 30m, 4h or 2d."
HOW_SHARES: Final = "Write shares of the time between 0 and 100 %, such as 50 %, 75 %."

_PART: Final = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*([a-z]+)", re.ASCII)


def write_duration(value: JsonValue, *, unit: int = 1) -> str:
    """Write an amount in the largest unit that says it exactly."""
    if not isinstance(value, int | float):
        return str(value)
    seconds = value * unit
    letter, size = next((each for each in UNITS.items() if each[0] != "w" and seconds % each[1] == 0), ("s", 1))
    return f"{seconds / size:g}{letter}" if seconds < 1e6 * size else f"{seconds // size}{letter}"


def read_duration(text: str, *, unit: int = 1) -> JsonValue:
    """Understand an amount, in whole `unit`s of seconds. Raises ValueError."""
    wanted = text.strip().lower()
    parts = _PART.findall(wanted)
    if not parts or _PART.sub("", wanted).replace("and", "").strip(" ,+"):
        raise ValueError(HOW)
    seconds = sum(float(number.replace(",", ".")) * UNITS[_letter(word)] for number, word in parts)
    if seconds % unit or seconds != int(seconds):
        raise ValueError(f"Write it in whole {'minutes' if unit > 1 else 'seconds'}.")
    return int(seconds) // unit


def _letter(word: str) -> str:
    letter = WORDS.get(word.removesuffix("s"), word)
    if letter not in UNITS:
        raise ValueError(HOW)
    return letter


def write_shares(value: JsonValue) -> str:
    """Write shares as per cent."""
    return ", ".join(f"{share * 100:g} %" for share in _listed(value) if isinstance(share, int | float))


def read_share(text: str) -> JsonValue:
    """Understand one share. Raises ValueError."""
    try:
        return round(float(text.strip().removesuffix("%").replace(",", ".")) / 100, 6)
    except ValueError as error:
        raise ValueError(HOW_SHARES) from error


def read_shares(text: str) -> JsonValue:
    """Understand several shares. Raises ValueError."""
    shares = [read_share(part) for part in re.split(r"[;,]", text) if part.strip()]
    return shares[0] if len(shares) == 1 else shares


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


Seconds = partial(Written, write=write_duration, understand=read_duration, example="4h")
"""A field for an amount of time that is stored in seconds."""
Minutes = partial(
    Written, write=partial(write_duration, unit=60), understand=partial(read_duration, unit=60), example="30m"
)
"""A field for an amount of time that is stored in minutes."""
Share = partial(Written, write=write_shares, understand=read_share, example="75 %")
"""A field for one share."""
Shares = partial(Written, write=write_shares, understand=read_shares, example="50 %, 75 %", empty=[])
"""A field for several shares."""
