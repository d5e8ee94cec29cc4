"""What an installation may choose about the query service."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from deskwire_shared.runtime.settings import ServiceSettings, WebAddress


class QuerySettings(ServiceSettings):
    """Settings of the query service."""

    model_config = SettingsConfigDict(env_prefix="DESKWIRE_QUERY_")

    wait_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="How long a read with `?after=` waits for the read models to reach that sequence, in seconds.",
    )
    heartbeat_seconds: int = Field(
        default=15,
        ge=1,
        le=300,
        description="How often an idle event stream sends a comment, so that proxies keep it open, and a listener is"
        " asked anew for their session or token, in seconds.",
    )
    most_listeners: int = Field(
        default=2_000, ge=1, le=100_000, description="How many event streams one process serves at a time."
    )
    files_url: WebAddress | None = Field(
        default=None,
        description="Another address that leads to this desk and at which attachments are served, such as"
        " https://files.example.com. Default: they are served at the desk's own.",
    )
    intake_url: WebAddress | None = Field(
        default=None,
        description="Where the intake service is reached when it runs in another process, such as http://intake:8080."
        " Default: it runs in this one.",
    )
    routing_url: WebAddress | None = Field(
        default=None,
        description="Where the routing service is reached when it runs in another process; its rehearsals are then"
        " served at this address too.",
    )
    sla_url: WebAddress | None = Field(
        default=None,
        description="Where the sla service is reached when it runs in another process; its rehearsals are then served"
        " at this address too.",
    )
