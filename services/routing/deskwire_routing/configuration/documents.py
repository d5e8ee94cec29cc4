"""What can be configured, how it is named, and what is said of files that hold something else.

People, their secrets and their private views are no configuration.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Calendar, Organisation, Template, View
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Macro, Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook

KINDS: Final[Mapping[str, type[Document]]] = {
    str(model.model_fields["kind"].default): model
    for model in (Organisation, Calendar, Team, Template, Webhook, Channel, SlaPolicy, View, Macro, Rule)
}
"""What can be configured, by name; each kind refers to earlier ones only."""

REFERABLE: Final[Mapping[str, type[Document]]] = {**KINDS, "agent": Agent}
"""What can be referred to."""


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """The name of a document."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Configured:
    """A document, and the file and place in it where it stands."""

    key: Key
    document: Document
    file: str
    place: str = ""


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """Something in a file that cannot be; the sentence says what can."""

    file: str
    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.sentence}" if self.place else f"{self.file}: {self.sentence}"


class FaultyConfiguration(Exception):
    """The files are no configuration that a desk could have."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))
