"""Seals the personal fields of a model with AES-256-GCM (NIST SP 800-38D) under the person's key.

Stored form: the personal fields are replaced by `key` (the key id) and `sealed`
(base64 of a 12-byte nonce and the ciphertext of their JSON). The key id is authenticated with it.
"""

import base64
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from deskwire_shared.contracts.personal import erased_fields, personal_fields
from deskwire_shared.eventstore.port import BrokenHistory

NONCE_BYTES = 12


def seal(model: BaseModel, key_id: str, key: bytes) -> dict[str, Any]:
    """The stored form of a model with personal fields."""
    stored = model.model_dump(mode="json", exclude_defaults=False)
    secret = {name: stored.pop(name) for name in personal_fields(type(model))}
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, to_json(secret), key_id.encode())
    return {**stored, "key": key_id, "sealed": base64.b64encode(sealed).decode()}


def unseal(stored: dict[str, Any], model: type[BaseModel], key: bytes | None) -> dict[str, Any]:
    """The plain form again; without the key, what an erased person leaves behind.

    Raises BrokenHistory when the sealed bytes were tampered with.
    """
    plain = {name: value for name, value in stored.items() if name not in {"key", "sealed"}}
    if key is None:
        return {**plain, **erased_fields(model)}
    sealed = base64.b64decode(stored["sealed"])
    try:
        secret = AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], stored["key"].encode())
    except InvalidTag as error:
        raise BrokenHistory(f"sealed fields of {stored.get('type', 'a document')} do not open") from error
    return {**plain, **from_json(secret)}
