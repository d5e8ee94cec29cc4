"""One data key per person: destroy it and everything it sealed is noise, in every copy.

A key id is `<person_id>.<generation>`. Erasing destroys all generations of a person; whoever writes
again under the same address later gets a new generation and none of the past.
"""

from collections.abc import Collection
from typing import Protocol

KEY_BYTES = 32


class KeyRing(Protocol):
    """Where the data keys live."""

    async def current(self, person_id: str, *, expect_new: bool = False) -> tuple[str, bytes]:
        """The id and bytes of the key to seal with; made at first use, without looking first when that is expected."""
        ...

    async def find(self, key_id: str) -> bytes | None:
        """The key, or None when it was destroyed or never was."""
        ...

    async def warm(self, person_ids: Collection[str]) -> None:
        """Read the keys of many people ahead of use: one by one they cost a round trip each."""
        ...

    def forget(self, person_id: str) -> None:
        """Drop what is remembered of a person's keys: they are known to have changed."""
        ...

    async def destroy(self, person_id: str) -> int:
        """Destroy every key of a person; the number destroyed."""
        ...


def key_id_of(person_id: str, generation: int) -> str:
    """`<person_id>.<generation>`."""
    return f"{person_id}.{generation}"


def split_key_id(key_id: str) -> tuple[str, int]:
    """The person and the generation of a key id."""
    person_id, _, generation = key_id.rpartition(".")
    return person_id, int(generation)
