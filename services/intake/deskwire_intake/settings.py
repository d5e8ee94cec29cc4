"""What an installation may choose about intake."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

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
    imap_mail_bytes: Bytes = Field(
        default=25 * MIB, description="Largest mail that is fetched; larger ones stay in their mailbox, and are parked."
    )
    reading_seconds: float = Field(
        default=5.0, gt=0, le=300, description="How long the reading of one mail may take before it is parked."
    )
    reading_inline_bytes: Bytes = Field(
        default=32 * KIB, description="Mails larger than this are read in a process of their own, in bytes."
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
