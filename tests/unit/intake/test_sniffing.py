"""What a file is by its first bytes, whatever its sender calls it."""

import pytest

from deskwire_intake.sniffing import type_of

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
PDF = b"%PDF-1.7\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ZIP = b"PK\x03\x04\x14\x00"
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00"


@pytest.mark.parametrize(
    ("head", "claimed", "found"),
    [
        (PNG, "application/octet-stream", "image/png"),
        (PDF, "image/png", "application/pdf"),
        (PNG, "text/plain", "image/png"),
        (SVG, "image/png", "image/svg+xml"),
    ],
)
def test_the_first_bytes_win_over_a_false_name(head: bytes, claimed: str, found: str) -> None:
    assert type_of(head, claimed) == found


@pytest.mark.parametrize("head", [ZIP, PROGRAM, b"<html><script>"])
def test_what_is_no_picture_at_all_is_shown_as_none(head: bytes) -> None:
    assert type_of(head, "image/png") == "application/octet-stream"


@pytest.mark.parametrize(
    ("head", "claimed"),
    [
        (PNG, "image/png"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        (ZIP, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"From: the beginning of a letter", "text/plain"),
        (b"BM, said Ann, is a car maker.", "text/plain"),
        (b"nothing that anybody knows", "image/x-made-up"),
        (b"", "image/png"),
    ],
)
def test_a_claim_that_nothing_contradicts_stands(head: bytes, claimed: str) -> None:
    assert type_of(head, claimed) == claimed
