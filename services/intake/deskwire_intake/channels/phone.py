"""Phone calls as a channel: an agent tells what was said."""

import re
from typing import Final, Literal

from deskwire_shared.contracts.facts import Address

PHONE: Final = "phone"
LONGEST_CALL: Final = 86_400

Direction = Literal["inbound", "outbound"]

_NOT_DIALLED: Final = re.compile(r"[^0-9]")


def caller_of(number: str, name: str) -> Address:
    """The address of somebody who is known by a phone number, however it is written (RFC 3966)."""
    digits = _NOT_DIALLED.sub("", number)
    international = number.strip().startswith("+") or digits.startswith("00")
    return Address(address=f"tel:+{digits.removeprefix('00')}" if international else f"tel:{digits}", name=name)


def call_subject(caller: Address, direction: Direction) -> str:
    """What a ticket is about that a call opens."""
    return f"Call {'from' if direction == 'inbound' else 'to'} {_shown(caller)}"


def call_note(caller: Address, direction: Direction, seconds: int, notes: str) -> str:
    """What stands on a ticket about a call."""
    kind = "Incoming" if direction == "inbound" else "Outgoing"
    head = ", ".join(filter(None, (f"{kind} call with {_shown(caller)}", _duration(seconds))))
    return f"{head}\n\n{notes}"


def activity(direction: Direction) -> str:
    """What the time of a call is logged as."""
    return f"{direction} call"


def _shown(caller: Address) -> str:
    number = caller.address.removeprefix("tel:")
    return f"{caller.name} ({number})" if caller.name else number


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return " ".join(f"{count} {unit}" for count, unit in ((minutes, "min"), (rest, "s")) if count)
