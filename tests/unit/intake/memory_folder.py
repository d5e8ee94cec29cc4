"""The folder of a mailbox in memory, with the moods of real servers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from deskwire_intake.channels.imap.session import MailboxUnreachable


@dataclass
class MemoryFolder:
    """Mails by number; those in `broken` cannot be fetched, those in `vanishing` are gone when they are.

    `keeps_marks` is False for a server that knows no keywords, `forgets_marks` True for one that says it does.
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    uid_validity: int = 1
    keeps_marks: bool = True
    forgets_marks: bool = False
    finished: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    fetched: list[list[int]] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    vanishing: set[int] = field(default_factory=set)

    async def waiting(self) -> list[int]:
        if self.forgets_marks:
            return sorted(self.mails)
        marked = {*self.finished, *(self.left if self.keeps_marks else ())}
        return sorted(self.mails.keys() - marked)

    async def sizes(self, uids: Collection[int]) -> Mapping[int, int]:
        return {uid: len(self.mails[uid]) for uid in uids}

    async def fetch(self, uids: Collection[int]) -> Mapping[int, bytes]:
        self.fetched.append(list(uids))
        if self.broken & set(uids):
            raise MailboxUnreachable("cut")
        return {uid: self.mails[uid] for uid in uids if uid not in self.vanishing}

    async def header(self, uid: int) -> bytes:
        return self.mails[uid].partition(b"\n\n")[0]

    async def finish(self, uids: Collection[int]) -> None:
        self.finished += uids

    async def set_aside(self, uids: Collection[int]) -> None:
        self.left += uids
