"""The names of streams and subjects, in one place."""

from typing import Final
from zlib import crc32

TICKETS: Final = "TICKETS"
DIRECTORY: Final = "DIRECTORY"
TIMERS: Final = "TIMERS"
NUMBERS: Final = "NUMBERS"
FEED: Final = "FEED"
PARKED: Final = "PARKED"
INTAKE: Final = "INTAKE"
KEYS: Final = "KEYS"
SECRETS: Final = "SECRETS"
SESSIONS: Final = "SESSIONS"
DELIVERIES: Final = "DELIVERIES"
ROSTER: Final = "ROSTER"

PARTITIONS: Final = 64
NUMBER_SUBJECT: Final = "number.ticket"
LEDGER_SUBJECT: Final = "intake.ledger"
PROJECTED_SUBJECT: Final = "deskwire.projected"
"""Core NATS notice (not stored): the read models have reached a sequence."""

PRESENCE_SUBJECT: Final = "deskwire.presence"
"""Core NATS notice (not stored): an agent looks at a ticket, or writes on it, at this moment."""

CHAT_QUEUE_SUBJECT: Final = "deskwire.chat-queue"
"""Core NATS notice (not stored): the customers who wait in a process for somebody to answer their chat."""


def ticket_subject(ticket_id: str) -> str:
    """`ticket.<pp>.<ticket_id>`; the partition lets the stream be split later without renaming anything."""
    return f"ticket.{crc32(ticket_id.encode()) % PARTITIONS:02d}.{ticket_id}"


def directory_subject(kind: str, document_id: str) -> str:
    """`directory.<kind>.<id>`."""
    return f"directory.{kind}.{document_id}"


def tick_subject(service: str, tick: int) -> str:
    """Where the server is told to say when a tick has come."""
    return f"timer.set.{service}.{tick}"


def tick_due_subject(service: str, tick: int) -> str:
    """Where the server says that a tick has come."""
    return f"timer.due.{service}.{tick}.tick.due"


def timer_subject(service: str, tick: int, ticket_id: str, name: str) -> str:
    """Where a timer waits for its tick; purge to cancel it."""
    return f"timer.wait.{service}.{tick}.{ticket_id}.{name}"


def timers_of_tick(service: str, tick: int) -> str:
    """Everything on the stream about a tick that has come: its timers, and that it has come."""
    return f"timer.*.{service}.{tick}.>"


def timer_due_subject(service: str, ticket_id: str, name: str) -> str:
    """Where a service hears one timer by itself."""
    return f"timer.due.{service}.{ticket_id}.{name}"


def timers_due_subject(service: str, once: str, part: int) -> str:
    """Where a service hears some of many timers that are due."""
    return f"timer.due.{service}.{once}.part.{part}"


def parked_subject(service: str, name: str = "") -> str:
    """Where a service puts what it could not handle; what has a name has a place of its own."""
    return f"parked.{service}.{name}" if name else f"parked.{service}"


def replay_subject(name: str) -> str:
    """Core NATS request (not stored): a service, or one of its consumers, handles something parked once more."""
    return f"deskwire.replay.{name}"


def chat_reply_subject(ticket_id: str) -> str:
    """Core NATS request (not stored): show a reply to a customer who is in a chat; answered once it is shown."""
    return f"deskwire.chat.{ticket_id}.reply"


def chat_typing_subject(ticket_id: str) -> str:
    """Core NATS notice (not stored): somebody writes in a chat at this moment."""
    return f"deskwire.chat.{ticket_id}.typing"
