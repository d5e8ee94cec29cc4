"""Ids are short, safe in subjects, and the same for everybody who derives them."""

import base64
import secrets

from deskwire_shared.contracts.ids import derived_id, new_id, person_id


def test_a_new_id_has_sixteen_base32_characters_and_differs_from_the_next() -> None:
    first, second = new_id(), new_id()
    assert first != second
    assert len(base64.b32decode(first.upper())) == 10


def test_an_id_is_base32_of_its_bytes() -> None:
    for raw in (bytes(10), b"\xff" * 10, secrets.token_bytes(10)):
        from deskwire_shared.contracts.ids import _text  # noqa: PLC0415

        assert _text(raw) == base64.b32encode(raw).decode().lower()


def test_the_same_parts_give_the_same_id_and_their_borders_count() -> None:
    assert derived_id("ab", "c") == derived_id("ab", "c")
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_a_person_is_found_however_the_address_is_written() -> None:
    assert person_id(" Ann@Example.com ", b"key") == person_id("ann@example.com", b"key")


def test_another_desk_gives_the_same_person_another_id() -> None:
    assert person_id("ann@example.com", b"key") != person_id("ann@example.com", b"other")
