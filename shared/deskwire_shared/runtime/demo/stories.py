"""The stories that demo tickets tell, and the people who tell them, read from the files beside this one."""

import random
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from deskwire_shared.contracts.access import Role
from deskwire_shared.contracts.facts import TicketType

Speaker = Literal["c", "a", "n"]
"""Customer, agent, or agent in a note."""

MAIL_DOMAIN: Final = "fernweh.example"
CUSTOMER_DOMAINS: Final = ("mail.example", "post.example", "harbour.example", "nordbank.example", "atelier.example")


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said in a story."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """What a customer writes about and how it goes on."""

    language: str
    subject: str
    turns: tuple[Turn, ...]
    type: TicketType
    attachment: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name and an address."""

    name: str
    address: str
    language: str = "en"

    @property
    def first_name(self) -> str:
        """The name they sign with."""
        return self.name.split()[0]


@dataclass(frozen=True, slots=True)
class StaffMember:
    """An agent of the demo desk."""

    person: Person
    teams: tuple[str, ...]
    role: Role = "agent"


@cache
def stories() -> tuple[Story, ...]:
    """Every story."""
    return tuple(
        Story(**{**told, "turns": tuple(Turn(*turn) for turn in told["turns"])}) for told in _read("stories")["story"]
    )


@cache
def staff() -> tuple[StaffMember, ...]:
    """Every agent."""
    return tuple(
        StaffMember(
            Person(one["name"], f"{_mailbox(one['name'])}@{MAIL_DOMAIN}"),
            tuple(one["teams"]),
            one.get("role", "agent"),
        )
        for one in _read("people")["agent"]
    )


@cache
def customers() -> tuple[Person, ...]:
    """Every customer."""
    named = [(name, language) for language, names in _read("people")["customers"].items() for name in names]
    return tuple(
        Person(
            name, f"{_mailbox(name, f'customer{number}')}@{CUSTOMER_DOMAINS[number % len(CUSTOMER_DOMAINS)]}", language
        )
        for number, (name, language) in enumerate(named)
    )


def details(story: Story, customer: Person, dice: random.Random) -> dict[str, str]:
    """What stands in the gaps of a story; the agent's name comes later."""
    people = _read("people")
    return {
        "customer": customer.name if story.language == "ja" else customer.first_name,
        "city": dice.choice(people["cities"][story.language]),
        "product": dice.choice(people["products"]),
        "order": f"F{dice.randrange(10_000, 99_999)}",
        "serial": f"{dice.choice('ABCDEF')}{dice.randrange(100_000, 999_999)}",
        "amount": f"€{dice.choice((29, 49, 79, 129, 219))}.90",
    }


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _mailbox(name: str, otherwise: str = "") -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return ".".join(plain.split()) or otherwise
