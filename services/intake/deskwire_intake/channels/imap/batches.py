"""How mails of a mailbox are taken in: in batches that fit in memory, and each conversation in its order."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from deskwire_intake.mail.addresses import read_addresses
from deskwire_intake.mail.headers import Headers, read_headers
from deskwire_intake.mail.identifiers import message_ids, single_message_id


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """A mail from a mailbox, with its own id and those of the mails it refers to."""

    uid: int
    raw: bytes
    sender: str
    message_id: str | None = None
    refers_to: frozenset[str] = frozenset()

    @property
    def thread(self) -> frozenset[str]:
        """Every id in it."""
        return self.refers_to | ({self.message_id} if self.message_id else set())


def fetched_mail(uid: int, raw: bytes) -> FetchedMail:
    """Read what is needed to hand a mail on."""
    headers, _ = read_headers(raw, 0, len(raw), set())
    message_id = single_message_id(headers.first("message-id"))
    named = message_ids(" ".join((headers.first("in-reply-to"), headers.joined("references"))))
    return FetchedMail(uid, raw, sender_of(headers), message_id, frozenset(named) - {message_id})


def sender_of(headers: Headers) -> str:
    """Who sent a mail: the envelope's sender, which the last server wrote into it, else the author."""
    if "return-path" in headers:
        return headers.first("return-path").strip().strip("<>")
    authors = read_addresses(headers.joined("from"), set())
    return authors[0].address if authors else ""


def batches(
    sizes: Mapping[int, int], *, most_bytes: int, most_mails: int, alone: Collection[int] = ()
) -> Iterator[list[int]]:
    """Cut mails into batches, in their order; a mail that is larger than a batch, or `alone`, is one by itself."""
    batch: list[int] = []
    held = 0
    for uid, size in sizes.items():
        if batch and (held + size > most_bytes or len(batch) >= most_mails or {uid, batch[-1]} & set(alone)):
            yield batch
            batch, held = [], 0
        batch.append(uid)
        held += size
    if batch:
        yield batch


def conversations(mails: Collection[FetchedMail]) -> list[list[FetchedMail]]:
    """Group mails that refer to each other, each after those it refers to; numbers need not tell what came first."""
    groups: list[tuple[set[str], list[FetchedMail]]] = []
    for mail in mails:
        joined = [group for group in groups if group[0] & mail.thread]
        groups = [group for group in groups if not group[0] & mail.thread]
        ids = set(mail.thread).union(*(group[0] for group in joined))
        groups.append((ids, [*(one for group in joined for one in group[1]), mail]))
    return [_parents_first(group) for _, group in groups]


def _parents_first(mails: list[FetchedMail]) -> list[FetchedMail]:
    """Order mails by number, but parents first; those that refer to each other in a circle keep their order."""
    waiting, ordered = sorted(mails, key=lambda mail: mail.uid), []
    while waiting:
        missing = {mail.message_id for mail in waiting}
        following = next((mail for mail in waiting if not mail.refers_to & missing), waiting[0])
        waiting.remove(following)
        ordered.append(following)
    return ordered
