"""What an installation may choose about the mails that leave."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from deskwire_notify.channels.email import SmtpServer, Tls
from deskwire_notify.retries import Patience
from deskwire_shared.contracts.document import MailAddress
from deskwire_shared.runtime.settings import ServiceSettings

MIB = 1024 * 1024


class NotifySettings(ServiceSettings):
    """The settings of notify, `DESKWIRE_NOTIFY_…`."""

    model_config = SettingsConfigDict(env_prefix="DESKWIRE_NOTIFY_")

    smtp_host: str | None = Field(
        default=None,
        min_length=1,
        description="Mail server that takes outgoing mails. Default: none; mails are kept in the local outbox.",
    )
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=587, description="Port of the mail server.")
    smtp_tls: Tls = Field(
        default="starttls",
        description="How the connection is encrypted: `starttls`, `tls` from the first byte, or `none`.",
    )
    smtp_ca_file: Path | None = Field(
        default=None,
        description="Certificates of the authorities that vouch for the mail server. Default: those of the system.",
    )
    smtp_username: str | None = Field(
        default=None, min_length=1, description="Name to sign in with. Default: no sign-in."
    )
    smtp_password: SecretStr | None = Field(default=None, description="Password to sign in with.")
    smtp_timeout_seconds: float = Field(
        default=30.0, gt=0, le=50, description="How long the mail server may take for one answer, in seconds."
    )
    webhook_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        le=15,
        description="How long a request by which a reply leaves or a webhook is called may take, in seconds.",
    )
    webhook_allow_private: bool = Field(
        default=False,
        description="Whether replies and webhooks may reach servers of the private network, and without TLS."
        " Default: to the public internet only, over https.",
    )
    webhook_ca_file: Path | None = Field(
        default=None,
        description="Certificates of the authorities that vouch for the servers replies leave to by webhook."
        " Default: those of the system.",
    )
    webhook_calls_at_once: int = Field(
        default=4, ge=1, le=32, description="Calls of one webhook that one process has under way at the same time."
    )
    webhook_off_after_days: float = Field(
        default=5,
        gt=0,
        le=6,
        description="How long every call of a webhook may fail before the webhook is switched off, in days.",
    )
    connections: int = Field(default=4, ge=1, le=32, description="Mails that one process sends at the same time.")
    sender: MailAddress | None = Field(
        default=None,
        description="Mailbox that mails leave from when no e-mail channel fits."
        " Default: support@localhost while mails are kept in the local outbox, else none.",
    )
    most_mail_bytes: int = Field(
        default=25 * MIB, ge=64 * 1024, le=200 * MIB, description="The largest mail the mail server takes, in bytes."
    )
    acknowledgements_per_hour: int = Field(
        default=5, ge=0, le=1_000, description="Acknowledgements that one customer gets within an hour at most."
    )
    automatic_mails_per_hour: int = Field(
        default=20,
        ge=0,
        le=1_000,
        description="Acknowledgements and answers by rules that one customer gets within an hour at most, together."
        " What is beyond is not sent, and its ticket says so.",
    )
    automatic_mails_per_ticket: int = Field(
        default=10,
        ge=0,
        le=1_000,
        description="Acknowledgements and answers by rules that leave one ticket within an hour at most, together.",
    )
    retry_first_seconds: float = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Wait after the first failed attempt, in seconds; each further wait triples.",
    )
    retry_longest_seconds: float = Field(
        default=4 * 3600, ge=1, le=86_400, description="The longest wait between two attempts, in seconds."
    )
    give_up_hours: float = Field(
        default=72, gt=0, le=120, description="How long a mail is tried before it counts as bounced, in hours."
    )

    chat_grace_seconds: float = Field(
        default=30,
        ge=0,
        le=86_400,
        description="How long the customer of a chat may be away before an answer goes by mail, in seconds.",
    )

    @model_validator(mode="after")
    def _credentials_are_whole(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password belong together")
        return self

    @property
    def server(self) -> SmtpServer | None:
        """The mail server, if there is one."""
        if self.smtp_host is None:
            return None
        return SmtpServer(
            host=self.smtp_host,
            port=self.smtp_port,
            tls=self.smtp_tls,
            username=self.smtp_username,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
            ca_file=self.smtp_ca_file,
            timeout_seconds=self.smtp_timeout_seconds,
        )

    @property
    def fallback_sender(self) -> str | None:
        """The mailbox to send from when no channel fits."""
        return self.sender or ("support@localhost" if self.smtp_host is None else None)

    @property
    def patience(self) -> Patience:
        """When to try again, and when to give up."""
        return Patience(
            first=timedelta(seconds=self.retry_first_seconds),
            longest=timedelta(seconds=self.retry_longest_seconds),
            give_up=timedelta(hours=self.give_up_hours),
        )
