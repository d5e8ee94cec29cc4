"""What operators measure about intake."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Figures:
    """Counts what came in and what became of it, by channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "deskwire_intake_messages",
            "Messages by what became of them: received, accepted, repeated, parked, refused, deferred",
            ["channel", "outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "deskwire_intake_accept_seconds",
            "From the last byte of a message to its durable entry",
            ["channel"],
            registry=registry,
            buckets=BUCKETS,
        )

        self.taken = Counter(
            "deskwire_intake_listener_mails",
            "Mails a listener has said 250 to, counted for each mailbox",
            ["listener"],
            registry=registry,
        )
        self.turned_away = Counter(
            "deskwire_intake_listener_turned_away",
            "Connections, mails and recipients that a listener turned away before it had the whole mail, by why",
            ["listener", "reason"],
            registry=registry,
        )
        self.under_way = Gauge(
            "deskwire_intake_under_way",
            "Messages that have come and are not in the log yet",
            ["channel"],
            registry=registry,
        )
        self.most_under_way = Gauge(
            "deskwire_intake_most_under_way",
            "Messages that a channel takes at once; whoever comes beyond it is asked to come again",
            ["channel"],
            registry=registry,
        )
        self.open_sockets = Gauge(
            "deskwire_intake_open_sockets", "Sockets of customers that are open", ["channel"], registry=registry
        )

    def count(self, channel: str, outcome: str) -> None:
        """Count a message."""
        self.messages.labels(channel, outcome).inc()
