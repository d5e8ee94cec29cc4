"""Who may do what: roles, permissions and the principal that every surface checks."""

from dataclasses import dataclass
from typing import Literal

from deskwire_shared.contracts.commit import Actor, ActorKind

Role = Literal["admin", "lead", "agent", "light_agent"]
Permission = Literal[
    "tickets:read",
    "tickets:write",
    "tickets:reply",
    "tickets:note",
    "tickets:assign",
    "tickets:merge",
    "customers:read",
    "customers:write",
    "directory:read",
    "directory:write",
    "reports:read",
    "feed:public",
    "feed:internal",
    "admin",
]

LIGHT: frozenset[Permission] = frozenset({"tickets:read", "tickets:note", "customers:read", "directory:read"})
AGENT: frozenset[Permission] = LIGHT | {
    "tickets:write",
    "tickets:reply",
    "tickets:assign",
    "tickets:merge",
    "customers:write",
}
LEAD: frozenset[Permission] = AGENT | {"reports:read", "feed:internal"}
ADMIN: frozenset[Permission] = LEAD | {"directory:write", "feed:public", "admin"}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "admin": ADMIN,
    "lead": LEAD,
    "agent": AGENT,
    "light_agent": LIGHT,
}

SCOPES: frozenset[Permission] = ADMIN
"""What an API token can be given."""


class NotPermitted(Exception):
    """The principal lacks a permission."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"this needs the permission {permission}")
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was recognised, and what they may do."""

    kind: ActorKind
    id: str
    name: str
    permissions: frozenset[Permission]
    role: Role | None = None
    csrf: str | None = None
    """The token that form posts of a browser session must repeat; None for API tokens."""

    @property
    def actor(self) -> Actor:
        """How this principal is named in commits."""
        return Actor(kind=self.kind, id=self.id)

    def may(self, permission: Permission) -> bool:
        """Whether it is permitted."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise NotPermitted unless it is permitted."""
        if not self.may(permission):
            raise NotPermitted(permission)
