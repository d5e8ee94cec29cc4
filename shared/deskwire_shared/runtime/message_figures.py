"""Figures of the messages that services hear and send, by the kind of subject.

FastStream's own middleware counts each subject by itself. Ours name tickets, so a process would remember every ticket
that it ever heard of, and tell all of them at `/metrics`.
"""

from typing import Final

from faststream.message import StreamMessage
from faststream.nats.prometheus.provider import NatsMetricsSettingsProvider
from faststream.prometheus import ConsumeAttrs
from faststream.prometheus.middleware import PrometheusMiddleware
from faststream.response import PublishCommand
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry

TOKENS: Final = {"ticket": 1, "timer": 3}
USUAL_TOKENS: Final = 2


def kind_of(subject: str) -> str:
    """Shorten a subject to what does not name anybody: `ticket`, `timer.due.sla`, `directory.agent`."""
    tokens = subject.split(".")
    return ".".join(tokens[: TOKENS.get(tokens[0], USUAL_TOKENS)])


class _ByKind(NatsMetricsSettingsProvider):
    """Names messages by the kind of their subject."""

    __slots__ = ()

    def get_consume_attrs_from_message(self, msg: StreamMessage[Msg]) -> ConsumeAttrs:
        """Describe a message that was heard."""
        attributes = super().get_consume_attrs_from_message(msg)
        return {**attributes, "destination_name": kind_of(attributes["destination_name"])}

    def get_publish_destination_name_from_cmd(self, cmd: PublishCommand) -> str:
        """Name where a message is sent."""
        return kind_of(super().get_publish_destination_name_from_cmd(cmd))


def message_figures(registry: CollectorRegistry) -> PrometheusMiddleware[Msg, PublishCommand]:
    """The middleware that counts messages in a registry."""
    return PrometheusMiddleware(settings_provider_factory=lambda _: _ByKind(), registry=registry)
