"""What an installation may choose about routing."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from deskwire_shared.runtime.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """Settings of the routing service."""

    model_config = SettingsConfigDict(env_prefix="DESKWIRE_ROUTING_")

    patience_seconds: float = Field(
        default=30.0,
        gt=0,
        le=50,
        description="How long an assignment waits at the start until the log was read for who has which tickets;"
        " after that the ticket is put back and tried again.",
    )
    rehearsal_tickets: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="Most tickets on which drafts are rehearsed at once over HTTP; the command line has no limit.",
    )
    rehearsal_seconds: float = Field(
        default=60.0,
        gt=0,
        le=3_600,
        description="How long a rehearsal of assignment may take over HTTP; the command line has no limit.",
    )
