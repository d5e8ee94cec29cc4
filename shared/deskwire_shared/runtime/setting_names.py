"""The names of all settings, and those in an environment that name none: they were mistyped, and do nothing."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from deskwire_shared.runtime import boot
from deskwire_shared.runtime.settings import CommonSettings, ServiceSettings

OURS: Final = "DESKWIRE_"
SERVICES: Final = frozenset({"INTAKE", "ROUTING", "SLA", "NOTIFY", "QUERY"})
"""By which word a setting is that of a service, which need not be installed here."""

_NEVER_OURS: Final = re.compile(
    r"DESKWIRE_(TEST_.*"  # of the tests
    r"|(.*_)?SERVICE_(HOST|PORT.*)|(.*_)?PORT_\d+_(TCP|UDP).*"  # Kubernetes tells of services named `deskwire-…`
    r"|NATS_(PASSWORD|SYSTEM_PASSWORD|CLUSTER_PASSWORD|NAME|ROUTES|STORE)|POSTGRES_PASSWORD)"  # of `deploy/`
)
_OF_KUBERNETES: Final = ("tcp://", "udp://")


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A variable that looks like a setting and is none; `nearest` is what may have been meant."""

    name: str
    nearest: str = ""

    def __str__(self) -> str:
        meant = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"there is no setting {self.name}{meant}"


def settings_models() -> Iterator[type[ServiceSettings]]:
    """Give the common settings and those of the services that are installed."""
    yield CommonSettings
    for found in sorted(entry_points(group=boot.ENTRY_POINTS)):
        package = found.value.partition(".")[0]
        module = import_module(f"{package}.settings")
        for _, model in inspect.getmembers(module, inspect.isclass):
            if issubclass(model, ServiceSettings) and model.__module__ == module.__name__:
                yield model


def setting_names() -> frozenset[str]:
    """Name every setting as the environment does."""
    return frozenset(
        f"{model.model_config.get('env_prefix', '')}{name}".upper()
        for model in settings_models()
        for name in model.model_fields
    )


def unknown_settings(environment: Mapping[str, str]) -> list[UnknownSetting]:
    """Find the variables of an environment that are meant for us and name no setting."""
    known = setting_names()
    elsewhere = SERVICES - {name.upper() for name in boot.service_names()}
    return [
        UnknownSetting(name, *get_close_matches(name.upper(), known, n=1, cutoff=0.75))
        for name, value in sorted(environment.items())
        if name.upper().startswith(OURS)
        and name.upper() not in known
        and name.upper().split("_")[1] not in elsewhere
        and not _NEVER_OURS.fullmatch(name.upper())
        and not value.startswith(_OF_KUBERNETES)
    ]
