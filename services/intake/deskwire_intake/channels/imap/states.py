"""How each mailbox fares, told to operators: as metrics, in the readiness answer, and in the log when it changes."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from prometheus_client import CollectorRegistry, Gauge
from structlog import get_logger

from deskwire_shared.runtime.clock import Clock

Condition = Literal["connecting", "fetching", "waiting", "held_up", "refused", "unusable", "unreachable", "failing"]
"""`held_up`: the log or the object store takes nothing; `unusable`: the folder; `failing`: an error of ours."""
TROUBLES: Final = frozenset[Condition]({"held_up", "refused", "unusable", "unreachable", "failing"})

log = get_logger(__name__)


class ImapFigures:
    """What operators measure about mailboxes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.condition = Gauge(
            "deskwire_imap_mailbox",
            f"1 for the condition a mailbox is in: {', '.join(get_args(Condition))}",
            ["channel", "condition"],
            registry=registry,
        )
        self.waiting = Gauge(
            "deskwire_imap_waiting_mails", "Mails in a mailbox that the desk has not", ["channel"], registry=registry
        )
        self.seen = Gauge(
            "deskwire_imap_seen_timestamp_seconds",
            "When a mailbox was last looked into",
            ["channel"],
            registry=registry,
        )


@dataclass(kw_only=True)
class MailboxState:
    """How one mailbox fares."""

    channel_id: str
    figures: ImapFigures
    clock: Clock
    condition: Condition = "connecting"
    reason: str = ""
    waiting_mails: int = 0

    def __post_init__(self) -> None:
        self.becomes("connecting")
        self.figures.waiting.labels(self.channel_id).set(0)
        self.figures.seen.labels(self.channel_id).set(0)

    def becomes(self, condition: Condition, reason: str = "") -> None:
        """Change; the same trouble again is not told twice."""
        changed = (condition, reason) != (self.condition, self.reason)
        if changed and condition in TROUBLES:
            log.warning("mailbox in trouble", channel_id=self.channel_id, condition=condition, reason=reason)
        elif condition == "fetching" and self.condition in {"connecting", *TROUBLES}:
            log.info("mailbox opened", channel_id=self.channel_id)
        self.condition, self.reason = condition, reason
        for one in get_args(Condition):
            self.figures.condition.labels(self.channel_id, one).set(one == condition)

    def looked_into(self, waiting_mails: int) -> None:
        """Note what waits in the mailbox now."""
        self.waiting_mails = waiting_mails
        self.figures.waiting.labels(self.channel_id).set(waiting_mails)
        self.figures.seen.labels(self.channel_id).set(self.clock.now().timestamp())

    def ends(self) -> None:
        """Forget the mailbox."""
        for one in get_args(Condition):
            self.figures.condition.remove(self.channel_id, one)
        for gauge in (self.figures.waiting, self.figures.seen):
            gauge.remove(self.channel_id)

    def __str__(self) -> str:
        told = f"{self.condition}: {self.reason}" if self.reason else self.condition
        return f"{told}, {self.waiting_mails} mails waiting"
