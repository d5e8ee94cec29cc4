"""Which failures pass: what the sender should try again later, since it may meet a better moment."""

from typing import Final

import nats.errors

from deskwire_intake.channels.port import TicketKeepsMoving
from deskwire_intake.ledger.entering import LedgerUnavailable
from deskwire_intake.scanning import ScannerUnavailable
from deskwire_shared.directory.port import DirectoryError
from deskwire_shared.eventstore.port import BrokenHistory, EventStoreError
from deskwire_shared.eventstore.recorder import VersionConflict
from deskwire_shared.runtime.objects import ObjectStoreUnavailable

PASSING: Final = (
    EventStoreError,
    DirectoryError,
    ObjectStoreUnavailable,
    VersionConflict,
    TicketKeepsMoving,
    LedgerUnavailable,
    ScannerUnavailable,
    nats.errors.Error,
    TimeoutError,
    OSError,
)


def passes(error: BaseException) -> bool:
    """Whether a later try may succeed."""
    return isinstance(error, PASSING) and not isinstance(error, BrokenHistory)
