"""Why a mail cannot be written.

CannotWrite
├── Undeliverable  it never will be: the agent learns it as a bounce
└── NotReady       something is out of reach at this moment: it is tried again
"""


class CannotWrite(Exception):
    """A mail cannot be written; the sentence says why."""


class Undeliverable(CannotWrite):
    """Trying again would not help; `recipients` are the addresses to blame, if any."""

    def __init__(self, reason: str, *, recipients: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.recipients = recipients


class NotReady(CannotWrite):
    """Trying again may help."""
