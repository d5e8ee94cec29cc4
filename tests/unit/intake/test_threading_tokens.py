"""Tokens in our own mails that lead an answer back to its ticket."""

from hypothesis import assume, given
from hypothesis import strategies as st

from deskwire_shared.contracts.threading_tokens import (
    is_loop_token,
    loop_token,
    message_id_for,
    reply_address,
    ticket_of,
    ticket_of_message_id,
)

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
ids = st.text(BASE32, min_size=16, max_size=16)
keys = st.binary(min_size=1, max_size=64)
characters = st.one_of(st.sampled_from(BASE32), st.characters(codec="utf-8"))
TOKEN_LENGTH = len("t") + 16 + len(".") + 10
MESSAGE_TOKEN_LENGTH = 16 + len(".") + 16 + len(".") + 10


def replaced(text: str, position: int, character: str) -> str:
    """Change one character to another one; the other case of a letter is the same one to a mail system."""
    assume(character.lower() != text[position] or not character.isascii())
    assume(character != text[position])
    return text[:position] + character + text[position + 1 :]


@given(ids, keys)
def test_an_answer_to_a_reply_address_finds_its_ticket(ticket_id: str, key: bytes) -> None:
    address = reply_address("support@example.com", ticket_id, key)
    assert address.startswith(f"support+t{ticket_id}.")
    assert address.endswith("@example.com")
    assert ticket_of(address, key) == ticket_id
    assert ticket_of(address.upper(), key) == ticket_id


@given(ids, keys, st.integers(0, TOKEN_LENGTH - 1), characters)
def test_a_reply_address_with_any_character_changed_is_refused(
    ticket_id: str, key: bytes, offset: int, character: str
) -> None:
    address = reply_address("support@example.com", ticket_id, key)
    assert ticket_of(replaced(address, len("support+") + offset, character), key) is None


@given(ids, ids, keys)
def test_an_answer_to_a_mail_of_ours_finds_its_ticket(reply_id: str, ticket_id: str, key: bytes) -> None:
    message_id = message_id_for(reply_id, ticket_id, key, "example.com")
    assert ticket_of_message_id(message_id, key) == ticket_id


@given(ids, ids, keys, st.integers(0, MESSAGE_TOKEN_LENGTH - 1), characters)
def test_a_message_id_of_ours_with_any_character_changed_is_refused(
    reply_id: str, ticket_id: str, key: bytes, offset: int, character: str
) -> None:
    message_id = message_id_for(reply_id, ticket_id, key, "example.com")
    assert ticket_of_message_id(replaced(message_id, offset, character), key) is None


@given(ids, keys, keys)
def test_the_token_of_another_desk_is_refused(ticket_id: str, ours: bytes, theirs: bytes) -> None:
    assume(ours.rstrip(b"\x00") != theirs.rstrip(b"\x00"))  # HMAC pads a key with NUL bytes
    assert ticket_of(reply_address("support@example.com", ticket_id, theirs), ours) is None
    assert ticket_of_message_id(message_id_for(ticket_id, ticket_id, theirs, "example.com"), ours) is None


@given(st.text(max_size=80), keys)
def test_any_text_is_refused(text: str, key: bytes) -> None:
    assert ticket_of(text, key) is None
    assert ticket_of_message_id(text, key) is None
    assert not is_loop_token(text, key)


@given(keys)
def test_a_desk_knows_its_own_loop_token(key: bytes) -> None:
    assert is_loop_token(f" {loop_token(key)} ", key)
    assert not is_loop_token(loop_token(key), b"another" + key)
