"""The layout of JetStream: every stream, bucket and durable consumer, made by `deskwire migrate` alone."""

from dataclasses import replace

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import NotFoundError

from deskwire_shared.contracts.subjects import (
    DELIVERIES,
    DIRECTORY,
    FEED,
    INTAKE,
    KEYS,
    LEDGER_SUBJECT,
    NUMBER_SUBJECT,
    NUMBERS,
    PARKED,
    ROSTER,
    SECRETS,
    SESSIONS,
    TICKETS,
    TIMERS,
)

DAY = 86_400.0
FEED_DAYS = 30
LEDGER_DAYS = 400
"""How long the ledger of intake is kept, unless an installation chooses otherwise: a year and a month to look."""
SESSION_DAYS = 14
DELIVERY_DAYS = 7
"""How long it is known that a mail was attempted; longer than any message waits to be handled."""

STREAMS = (
    StreamConfig(name=TICKETS, subjects=["ticket.*.*"], allow_atomic=True),
    StreamConfig(name=DIRECTORY, subjects=["directory.*.*"]),
    StreamConfig(
        name=TIMERS, subjects=["timer.wait.>", "timer.set.>", "timer.due.>"], allow_msg_schedules=True,
        allow_msg_ttl=True, allow_rollup_hdrs=True,
    ),
    StreamConfig(name=NUMBERS, subjects=[NUMBER_SUBJECT]),
    StreamConfig(name=FEED, subjects=["feed.>"], max_age=FEED_DAYS * DAY),
    StreamConfig(name=PARKED, subjects=["parked.>"]),
    StreamConfig(name=INTAKE, subjects=[LEDGER_SUBJECT], max_age=LEDGER_DAYS * DAY),
    StreamConfig(name=f"KV_{KEYS}", subjects=[f"$KV.{KEYS}.>"], max_msgs_per_subject=1, allow_rollup_hdrs=True),
    StreamConfig(name=f"KV_{ROSTER}", subjects=[f"$KV.{ROSTER}.>"], max_msgs_per_subject=1, allow_rollup_hdrs=True),
    StreamConfig(name=f"KV_{SECRETS}", subjects=[f"$KV.{SECRETS}.>"], max_msgs_per_subject=1, allow_rollup_hdrs=True),
    StreamConfig(
        name=f"KV_{SESSIONS}", subjects=[f"$KV.{SESSIONS}.>"], max_msgs_per_subject=1, allow_rollup_hdrs=True,
        max_age=SESSION_DAYS * DAY,
    ),
    StreamConfig(
        name=f"KV_{DELIVERIES}", subjects=[f"$KV.{DELIVERIES}.>"], max_msgs_per_subject=1, allow_rollup_hdrs=True,
        max_age=DELIVERY_DAYS * DAY,
    ),
)  # fmt: skip

CONSUMERS = (
    (TICKETS, "routing", "ticket.>"),
    (TIMERS, "routing-timers", "timer.due.routing.>"),
    (DIRECTORY, "routing-rules", "directory.rule.*"),
    (DIRECTORY, "routing-agents", "directory.agent.*"),
    (DIRECTORY, "routing-teams", "directory.team.*"),
    (DIRECTORY, "routing-calendars", "directory.calendar.*"),
    (TICKETS, "sla", "ticket.>"),
    (TIMERS, "sla-timers", "timer.due.sla.>"),
    (DIRECTORY, "sla-policies", "directory.sla_policy.*"),
    (DIRECTORY, "sla-calendars", "directory.calendar.*"),
    (TICKETS, "notify", "ticket.>"),
    (TIMERS, "notify-timers", "timer.due.notify.>"),
    (TICKETS, "webhooks", "ticket.>"),
    (TIMERS, "webhooks-timers", "timer.due.webhooks.>"),
)
"""Durable consumers: stream, name, filter."""


def service_of(consumer: str) -> str:
    """The service that a consumer belongs to."""
    return consumer.partition("-")[0]


def consumer_hearing(service: str, subject: str) -> str | None:
    """The consumer by which a service hears a subject; None when it hears it by none."""
    return next(
        (name for _, name, heard in CONSUMERS if service_of(name) == service and _matches(heard, subject)), None
    )


def _matches(heard: str, subject: str) -> bool:
    wanted, tokens = heard.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(tokens) >= len(wanted) and _matches(".".join(wanted[:-1]), ".".join(tokens[: len(wanted) - 1]))
    return len(tokens) == len(wanted) and all(w in ("*", t) for w, t in zip(wanted, tokens, strict=True))


ACK_WAIT_SECONDS = 30.0
"""How long a message of a killed process waits for another one."""

MAX_ACK_PENDING = 256


def stream_config(declared: StreamConfig, *, replicas: int) -> StreamConfig:
    """A stream as Deskwire needs it: on disk, readable directly, never dropping what is old."""
    return replace(
        declared,
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD if declared.name == TIMERS else DiscardPolicy.NEW,
        num_replicas=replicas,
        allow_direct=True,
    )


def consumer_config(name: str, subject: str) -> ConsumerConfig:
    """A durable consumer whose messages are dealt out among the replicas of a service.

    It pushes to a queue group: FastStream's pull loop waits for a batch to fill, this hears in 2 ms.
    """
    return ConsumerConfig(
        durable_name=name,
        deliver_subject=f"deliver.{name}",
        deliver_group=name,
        filter_subject=subject,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_ack_pending=MAX_ACK_PENDING,
        max_deliver=-1,
    )


def declared_streams(*, ledger_days: int = LEDGER_DAYS) -> list[StreamConfig]:
    """The streams as an installation chooses them."""
    return [replace(one, max_age=ledger_days * DAY) if one.name == INTAKE else one for one in STREAMS]


async def migrate(js: JetStreamContext, *, replicas: int = 1, ledger_days: int = LEDGER_DAYS) -> list[str]:
    """Make what is missing and bring what differs up to date; a line for each thing done."""
    done = []
    for declared in declared_streams(ledger_days=ledger_days):
        done += await _migrate_stream(js, stream_config(declared, replicas=replicas))
    for stream, name, subject in CONSUMERS:
        done += await _migrate_consumer(js, stream, consumer_config(name, subject))
    return done


async def _migrate_stream(js: JetStreamContext, wanted: StreamConfig) -> list[str]:
    assert wanted.name is not None
    try:
        found = await js.stream_info(wanted.name)
    except NotFoundError:
        await js.add_stream(config=wanted)
        return [f"made stream {wanted.name}"]
    if not differences(found, wanted):
        return []
    await js.update_stream(config=wanted)
    return [f"changed stream {wanted.name}: {', '.join(differences(found, wanted))}"]


async def _migrate_consumer(js: JetStreamContext, stream: str, wanted: ConsumerConfig) -> list[str]:
    assert wanted.durable_name is not None
    try:
        await js.consumer_info(stream, wanted.durable_name)
    except NotFoundError:
        await js.add_consumer(stream, config=wanted)
        return [f"made consumer {wanted.durable_name} on {stream}"]
    return []


def differences(found: StreamInfo, wanted: StreamConfig) -> list[str]:
    """The names of the settings in which a stream is not what it should be."""
    compared = ("subjects", "num_replicas", "allow_direct", "allow_atomic", "allow_msg_schedules", "max_age", "discard",
                "max_msgs_per_subject")  # fmt: skip
    return [name for name in compared if _plain(getattr(found.config, name)) != _plain(getattr(wanted, name))]


def _plain(value: object) -> object:
    """What the server leaves out of an answer is what a declaration leaves at its default."""
    return None if value in (None, False, 0, -1, 0.0) else value
