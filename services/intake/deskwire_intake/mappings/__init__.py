"""The mappings that come with the desk: one file for each service of others that messages come from."""

from functools import cache
from importlib.resources import files

from deskwire_shared.contracts.webhook_channels import InboundMapping


@cache
def shipped_mapping(name: str) -> InboundMapping | None:
    """The inbound mapping of that name; None when there is none."""
    file = files(__name__) / f"{name}.json"
    return InboundMapping.model_validate_json(file.read_bytes()) if file.is_file() else None


def shipped_names() -> tuple[str, ...]:
    """Every inbound mapping."""
    names = (file.name for file in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))
