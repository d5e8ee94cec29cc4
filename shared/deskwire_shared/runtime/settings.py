"""What an installation may choose, read from the environment; the reference is generated from this file."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

Durability = Literal["single", "cluster", "dev"]
LogFormat = Literal["auto", "json", "pretty"]
LogLevel = Literal["debug", "info", "warning", "error"]
Port = Annotated[int, Field(ge=0, le=65_535)]


class ServiceSettings(BaseSettings):
    """Where the settings of every service start from; a service adds its own prefix, `DESKWIRE_SLA_`."""

    model_config = SettingsConfigDict(
        env_prefix="DESKWIRE_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # a rejected address may hold a password
    )


class UnknownRole(Exception):
    """A service cannot play the role it was asked to; the sentence says which it can."""


class WrongSettings(Exception):
    """Settings that cannot be used; the sentences name the variables of the environment."""

    def __init__(self, error: ValidationError) -> None:
        prefix = _prefix(error.title)
        problems = [problem for problem in error.errors() if problem["type"] != "default_factory_not_called"]
        super().__init__("; ".join(f"setting {prefix}{_sentence(problem)}" for problem in problems))


def _prefix(title: str) -> str:
    models: tuple[type[ServiceSettings], ...] = (ServiceSettings, *ServiceSettings.__subclasses__())
    found = next((model for model in models if model.__name__ == title), ServiceSettings)
    return str(found.model_config.get("env_prefix", ""))


def _sentence(problem: ErrorDetails) -> str:
    name = "_".join(str(part) for part in problem["loc"]).upper()
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def _nats_servers(url: SecretStr) -> SecretStr:
    for server in url.get_secret_value().split(","):
        _require_scheme(server.strip(), "nats", "tls", "ws", "wss")
    return url


def _database(url: SecretStr) -> SecretStr:
    value = url.get_secret_value()
    if value.startswith(("postgres://", "postgresql://")):
        value = "postgresql+asyncpg://" + value.partition("://")[2]
    _require_scheme(value, "sqlite+aiosqlite", "postgresql+asyncpg")
    return SecretStr(value)


def _web_address(url: str) -> str:
    _require_scheme(url, "http", "https")
    if not urlsplit(url).hostname:
        raise ValueError("the address names no host")
    return url.rstrip("/")


def _absolute(path: Path) -> Path:
    return path.expanduser().resolve()


def _require_scheme(url: str, *schemes: str) -> None:
    if urlsplit(url).scheme not in schemes:
        raise ValueError(f"the address must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")


def _default_database(chosen: dict[str, Any]) -> SecretStr:
    return SecretStr(f"sqlite+aiosqlite:///{chosen['data_dir'] / 'deskwire.db'}")


def _default_object_store(chosen: dict[str, Any]) -> str:
    return str((chosen["data_dir"] / "objects").as_uri())


def _default_public_url(chosen: dict[str, Any]) -> str:
    host = chosen["bind_host"]
    return f"http://{f'[{host}]' if ':' in host else host}:{chosen['http_port']}"


DataDirectory = Annotated[Path, AfterValidator(_absolute)]
NatsUrl = Annotated[SecretStr, AfterValidator(_nats_servers)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class CommonSettings(ServiceSettings):
    """What all services share."""

    data_dir: DataDirectory = Field(
        default=Path("data"),
        validate_default=True,
        description="Folder for everything that is kept on this machine.",
    )
    nats_url: NatsUrl | None = Field(
        default=None,
        description="NATS servers, comma-separated. Default: the nats-server that `deskwire up` starts.",
    )
    nats_system_url: NatsUrl | None = Field(
        default=None,
        description="The same servers with a user of the system account: how the durability profile is checked.",
    )
    nats_port: Port = Field(
        default=4222,
        description="Port of the embedded nats-server, on loopback; any free one when it is taken or 0.",
    )
    durability: Durability = Field(
        default="single",
        description="What the log must withstand; a weaker server is refused at the start."
        " `single`: one node that syncs every write to disk. `cluster`: three replicas that do."
        " `dev`: anything, for trials and tests.",
    )
    database_url: DatabaseUrl = Field(
        default_factory=_default_database,
        description="Database of the read models, postgresql:// or sqlite+aiosqlite://."
        " Default: a SQLite file in the data folder.",
    )
    object_store_url: str = Field(
        default_factory=_default_object_store,
        min_length=1,
        description="Store for raw mail and attachments: file://, s3://, gs:// or az://."
        " Default: a folder in the data folder.",
    )
    bind_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address that HTTP and SMTP listen on. The default is reached from this machine only.",
    )
    http_port: Port = Field(default=8080, description="Port of the workspace, the portal and the API.")
    smtp_port: Port = Field(default=2525, description="Port of the mail listener.")
    public_url: WebAddress = Field(
        default_factory=_default_public_url,
        description="Address that customers and agents reach the desk by, used in links."
        " Default: http:// with the bind host and port.",
    )
    log_format: LogFormat = Field(
        default="auto", description="`json`, `pretty`, or `auto`: pretty on a terminal, JSON elsewhere."
    )
    log_level: LogLevel = Field(default="info", description="The least grave message that is logged.")
    ledger_days: int = Field(
        default=400,
        ge=1,
        le=36_500,
        description="How long the ledger of intake is kept, in days: what came by which way, and what became of it."
        " `deskwire migrate` brings the stream up to date.",
    )
    otel_endpoint: WebAddress | None = Field(
        default=None,
        description="OpenTelemetry collector that traces are sent to by OTLP over HTTP, such as http://collector:4318."
        " Default: no traces.",
    )
    shutdown_grace_seconds: float = Field(
        default=15.0,
        ge=0,
        le=600,
        description="How long running work may take to finish at a stop, in seconds.",
    )

    def with_nats(self, url: str, system_url: str) -> Self:
        """Name the server that was started or found."""
        return self.model_copy(update={"nats_url": SecretStr(url), "nats_system_url": SecretStr(system_url)})
