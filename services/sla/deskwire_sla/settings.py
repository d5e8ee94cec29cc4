"""What an installation may choose about service levels."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from deskwire_shared.runtime.settings import ServiceSettings


class SlaSettings(ServiceSettings):
    """Settings of the sla service."""

    model_config = SettingsConfigDict(env_prefix="DESKWIRE_SLA_")

    keep_fired_timers_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="How long a timer that fired waits for a stopped sla service, in days."
        " After that its ticket is looked at when something else happens to it.",
    )
    rehearsal_tickets: int = Field(
        default=20_000,
        ge=1,
        le=1_000_000,
        description="The most tickets that a rehearsal over HTTP lives through again; the command has no limit.",
    )
