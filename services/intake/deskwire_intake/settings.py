"""What an installation may choose about intake."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from deskwire_shared.runtime.settings import ServiceSettings

KIB = 1024
MIB = 1024 * KIB

Bytes = Annotated[int, Field(ge=KIB, le=1024 * MIB)]


class IntakeSettings(ServiceSettings):
    """Limits of the ways in."""

    model_config = SettingsConfigDict(env_prefix="DESKWIRE_INTAKE_")

    smtp_hostname: str = Field(default="deskwire", min_length=1, description="Name the mail listener greets with.")
    smtp_mail_bytes: Bytes = Field(default=25 * MIB, description="Largest mail the listener takes, in bytes.")
    smtp_recipients: int = Field(default=100, ge=1, le=1_000, description="Most recipients of one mail.")
    smtp_connections: int = Field(default=200, ge=1, le=10_000, description="Most connections at once.")
    smtp_memory_bytes: Bytes = Field(
        default=256 * MIB,
        description="Most bytes of mails being received at once; who comes beyond it is asked to try again later.",
    )
    smtp_idle_seconds: float = Field(
        default=300.0, gt=0, le=3_600, description="How long a connection may take for one command or one mail."
    )
    smtp_client_rate: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Mails one client may hand over in a minute; a mail server in front is one client. Default: any.",
    )
    smtp_certificate: Path | None = Field(
        default=None,
        description="File with the certificate chain that STARTTLS offers, to LMTP too. Default: no STARTTLS.",
    )
    smtp_key: Path | None = Field(default=None, description="File with the key of the certificate.")
    lmtp_port: int | None = Field(
        default=None, ge=0, le=65_535, description="Port where a mail server hands mails over by LMTP. Default: none."
    )
    lmtp_socket: Path | None = Field(
        default=None, description="The same as a Unix socket, which only this machine reaches. Default: none."
    )
    imap_mail_bytes: Bytes = Field(
        default=25 * MIB, description="Largest mail that is fetched; larger ones stay in their mailbox, and are parked."
    )
    reading_seconds: float = Field(
        default=5.0, gt=0, le=300, description="How long the reading of one mail may take before it is parked."
    )
    reading_inline_bytes: Bytes = Field(
        default=32 * KIB, description="Mails larger than this are read in a process of their own, in bytes."
    )
    trusted_relays: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        max_length=50,
        description="Mail servers in front of the desk, by the names in their `Authentication-Results`, with commas;"
        " `.example.com` means all below it, `unnamed` one that leaves its name out. Default: none is believed.",
    )
    spam_headers: bool = Field(
        default=True, description="Whether mails that a trusted relay marks as spam are tickets with the tag `spam`."
    )
    clamd: str | None = Field(
        default=None,
        pattern=r"^(unix:/.+|tcp://[^/]+)$",
        description="Virus scanner that every file goes through: `unix:/run/clamav/clamd.ctl` or `tcp://clamav:3310`."
        " Default: none.",
    )
    clamd_seconds: float = Field(default=30.0, gt=0, le=600, description="How long the scan of one file may take.")
    clamd_tries: int = Field(default=3, ge=1, le=100, description="How often the virus scanner is asked in a row.")
    clamd_away: Literal["wait", "accept"] = Field(
        default="wait",
        description="What becomes of messages with files while no scanner answers: they `wait` (the sender tries again"
        " later), or are taken in with their files marked as unscanned.",
    )
    json_bytes: Bytes = Field(default=MIB, description="Largest JSON body of the API, in bytes.")
    attachment_bytes: Bytes = Field(default=25 * MIB, description="Largest attachment uploaded to the API, in bytes.")
    webhook_bytes: Bytes = Field(default=MIB, description="Largest payload of a webhook, in bytes.")
    webhook_at_once: int = Field(default=64, ge=1, le=10_000, description="Most payloads of webhooks taken in at once.")
    webhook_channel_at_once: int = Field(
        default=16, ge=1, le=1_000, description="Most payloads taken in at once of one webhook channel."
    )
    web_files: int = Field(default=5, ge=0, le=20, description="Most files sent with one form.")
    web_file_bytes: Bytes = Field(default=20_000_000, description="Most bytes of the files of one form together.")
    web_seconds: float = Field(default=120.0, gt=0, le=3_600, description="How long the sending of one form may take.")
    web_client_rate: int = Field(default=10, ge=1, le=10_000, description="Forms one client may send in a minute.")
    web_channel_rate: int = Field(
        default=600, ge=1, le=100_000, description="Forms one channel takes in a minute, in each process."
    )
    web_at_once: int = Field(default=64, ge=1, le=10_000, description="Most forms received at once.")
    web_client_at_once: int = Field(default=4, ge=1, le=1_000, description="Most forms received at once of one client.")
    chat_sockets: int = Field(default=5_000, ge=1, le=100_000, description="Most sockets of chats open at once.")
    chat_client_sockets: int = Field(
        default=50, ge=1, le=100_000, description="Most sockets of chats one client has open; an office is one client."
    )
    chat_client_rate: int = Field(
        default=120, ge=1, le=100_000, description="Sockets of chats one client may open in a minute."
    )
    chat_messages_rate: int = Field(
        default=60, ge=1, le=10_000, description="Messages one customer may write in a chat in a minute."
    )

    @field_validator("trusted_relays", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name.strip().lower() for name in value.split(",") if name.strip())

    @model_validator(mode="after")
    def _has_both_halves(self) -> Self:
        if (self.smtp_certificate is None) != (self.smtp_key is None):
            raise ValueError("a certificate needs its key in DESKWIRE_INTAKE_SMTP_KEY, and a key its certificate")
        return self
