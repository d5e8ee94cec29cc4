"""Commits to bytes and back: canonical JSON, sealed personal fields, the hash chain."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import FACTS, AnyFact, PersonalFact, UnknownFact
from deskwire_shared.contracts.upcasts import upcast
from deskwire_shared.eventstore.keyring import KeyRing
from deskwire_shared.eventstore.port import BrokenHistory, Tip
from deskwire_shared.eventstore.sealing import seal, unseal

KEY_OWNER: Final = re.compile(rb'"key":"([a-z2-7]{16})\.\d+"')
"""Where stored bytes name whose key seals them."""


class Codec:
    """Writes and reads stored commits, with the keys of a key ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def encode(self, commit: Commit, *, after: Tip) -> tuple[Commit, bytes]:
        """The commit with its chain value, and the bytes to store."""
        stored = commit.model_dump(mode="json", exclude={"chain", "facts"})
        stored["facts"] = [await self._encode_fact(fact) for fact in commit.facts]
        chain = chain_value(after.chain, stored)
        stored["chain"] = chain
        return commit.model_copy(update={"chain": chain}), canonical(stored)

    async def decode(self, raw: bytes, *, unsealed: bool = True) -> Commit:
        """Read a stored commit; not `unsealed`, it needs no keys, and people look as if they had been erased.

        Raises BrokenHistory when the bytes are no commit.
        """
        try:
            stored = from_json(raw)
            facts = tuple([await self._decode_fact(fact, unsealed=unsealed) for fact in stored["facts"]])
            return Commit.model_validate({**stored, "facts": ()}).model_copy(update={"facts": facts})
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise BrokenHistory(f"not a commit: {error}") from error

    async def warm(self, raws: Iterable[bytes]) -> None:
        """Read the keys of many stored commits ahead of decoding them."""
        await self._keys.warm({found.decode() for raw in raws for found in KEY_OWNER.findall(raw)})

    def forget(self, person_id: str) -> None:
        """Look a person's keys up again: they are known to have changed."""
        self._keys.forget(person_id)

    async def _encode_fact(self, fact: AnyFact) -> dict[str, Any]:
        if isinstance(fact, UnknownFact):
            return {**fact.data, "type": fact.type}
        if not isinstance(fact, PersonalFact):
            return fact.model_dump(mode="json")
        key_id, key = await self._keys.current(fact.person_id)
        return seal(fact, key_id, key)

    async def _decode_fact(self, stored: dict[str, Any], *, unsealed: bool) -> AnyFact:
        stored = upcast(stored)
        model = FACTS.get(stored["type"])
        if model is None:
            return UnknownFact(type=stored["type"], data={k: v for k, v in stored.items() if k != "type"})
        if "sealed" in stored:
            stored = unseal(stored, model, await self._keys.find(stored["key"]) if unsealed else None)
        return model.model_validate(stored)  # type: ignore[return-value]  # FACTS holds only TicketFact models


def canonical(stored: dict[str, Any]) -> bytes:
    """Sorted keys, no white space, UTF-8: one byte form per value (RFC 8785; we store no fractions)."""
    return json.dumps(stored, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def chain_value(previous: str, stored: dict[str, Any]) -> str:
    """SHA-256 over the previous chain value and the canonical commit without its own chain value."""
    body = {name: value for name, value in stored.items() if name != "chain"}
    return hashlib.sha256(previous.encode() + canonical(body)).hexdigest()


def chain_of(raw: bytes) -> str:
    """The chain value that stands in stored bytes."""
    return str(from_json(raw)["chain"])


def verify_link(previous: str, raw: bytes) -> bool:
    """Does a stored commit follow from the previous chain value? Needs no key, so it holds after an erasure too."""
    stored = from_json(raw)
    return bool(stored.get("chain") == chain_value(previous, stored))
