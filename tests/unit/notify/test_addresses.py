"""Which addresses a mail can be sent to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_notify.mails.addresses import is_own, mailable, recipients
from deskwire_shared.contracts.facts import Address

MAILBOXES = {"support@acme.example"}


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("cora@example.org", "cora@example.org"),
        (" Cora.O'Hara+x@Example.ORG ", "Cora.O'Hara+x@example.org"),
        ("cora@bücher.example", "cora@xn--bcher-kva.example"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_a_mail_address_is_written_as_servers_take_it(address: str, written: str) -> None:
    assert mailable(address) == written


@pytest.mark.parametrize(
    "address",
    [
        "",
        "[erased]",
        "+49 30 1234",
        "cora",
        "@example.org",
        "cora@",
        "a@b@example.org",
        "a b@example.org",
        "<cora@example.org>",
        "cora@example.org\r\nRCPT TO:<x@y.example>",
        "cora\n@example.org",
        "co\x00ra@example.org",
        "cora@-example.org",
        "cora@exa..mple.org",
        "cora@" + "a" * 64 + ".org",
        "c" * 65 + "@example.org",
        "cora@" + ".".join(["a" * 60] * 5),
        "co\u202era@example.org",
    ],
)
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    assert mailable(address) is None


@given(st.text(max_size=80))
def test_no_address_ends_a_command_or_a_header(text: str) -> None:
    written = mailable(f"{text}@example.org") or mailable(text) or ""
    assert not set(written) & set("\r\n <>\x00")


def test_everybody_is_written_to_once_and_the_desk_never() -> None:
    found = recipients(
        [Address(address="cora@example.org", name="Cora"), Address(address="CORA@example.org")],
        [
            Address(address="cora@example.org"),
            Address(address="Support+t123@ACME.example"),
            Address(address="bob@example.org"),
            Address(address="nowhere"),
        ],
        MAILBOXES,
    )
    assert found.to == (Address(address="cora@example.org", name="Cora"),)
    assert found.cc == (Address(address="bob@example.org"),)
    assert found.addresses == ("cora@example.org", "bob@example.org")
    assert found.unmailable == ("nowhere",)


def test_a_mailbox_with_a_detail_is_still_ours() -> None:
    assert is_own("support+anything@acme.example", MAILBOXES)
    assert not is_own("support@other.example", MAILBOXES)
