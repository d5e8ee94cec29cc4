"""What operators measure of the mails that leave."""

from prometheus_client import CollectorRegistry, Counter, Histogram

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Figures:
    """The figures of notify in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "deskwire_notify_attempts",
            "Attempts to hand a mail over, by kind of mail and outcome: delivered, bounced, retried",
            ["kind", "outcome"],
            registry=registry,
        )
        self.withheld = Counter(
            "deskwire_notify_acknowledgements_withheld", "Acknowledgements that must not be sent", registry=registry
        )
        self.replies_withheld = Counter(
            "deskwire_notify_replies_withheld",
            "Answers by rules that were not sent, since their customer or ticket had too many within an hour",
            registry=registry,
        )
        self.parked = Counter("deskwire_notify_parked", "Mails that nobody could send", ["kind"], registry=registry)
        self.duration = Histogram(
            "deskwire_notify_attempt_seconds",
            "From the claim of a mail to its outcome",
            ["kind"],
            buckets=SECONDS,
            registry=registry,
        )
