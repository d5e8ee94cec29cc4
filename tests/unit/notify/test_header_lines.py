"""No name, subject or id breaks out of a header."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deskwire_notify.mails.header_lines import WrittenHeader, address_header, ids_header, one_line, text_header
from deskwire_shared.contracts.facts import Address

HOSTILE = st.text(max_size=300) | st.text(alphabet='=?utf-8bq_ \r\n\t,;:<>"\\()@äß😀\x00\x7f\u2028\ud800', max_size=120)


def written(*headers: WrittenHeader) -> bytes:
    mail = EmailMessage(policy=policy.SMTP)
    for header in headers:
        mail[header.name] = header
    mail.set_content("body")
    return mail.as_bytes()


def parsed(*headers: WrittenHeader) -> EmailMessage:
    """Read back with the oldest, most lenient parser: what it takes for a header, anyone does."""
    mail = message_from_bytes(written(*headers), policy=policy.compat32)
    assert mail.get_payload() == "body\r\n"
    return mail  # type: ignore[return-value]


def decoded(value: object) -> str:
    return str(make_header(decode_header(" ".join(str(value).split()))))


@given(HOSTILE)
@example("Subject\r\nBcc: victim@example.org")
@example("=?utf-8?q?=0D=0ABcc:_x@y?=")
@example("x" * 300)
def test_any_subject_stays_one_header_and_reads_as_it_was(text: str) -> None:
    mail = parsed(text_header("Subject", text))
    assert mail.keys() == ["Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    assert decoded(mail["Subject"]) == (one_line(text) or "-")


@given(HOSTILE)
def test_no_line_of_a_header_is_longer_than_a_mail_allows(text: str) -> None:
    head = written(text_header("Subject", text), address_header("To", [Address(address="a@b.example", name=text)]))
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 78 for line in head.partition(b"\r\nTo:")[0].split(b"\r\n"))


@given(st.lists(HOSTILE, min_size=1, max_size=4))
@example(['Müller, "Jo" <x@evil.example>'])
@example(["a@evil.example, b"])
def test_any_name_stays_a_name(names: list[str]) -> None:
    people = [Address(address=f"p{number}@example.org", name=name) for number, name in enumerate(names)]
    mail = parsed(address_header("To", people))
    assert mail.keys() == ["To", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    found = getaddresses([" ".join(mail["To"].split())])
    assert [address for _, address in found] == [person.address for person in people]
    for (name, _), person in zip(found, people, strict=True):
        assert decoded(name) == one_line(person.name)[:100].strip()


def test_a_plain_name_stays_readable_and_a_foreign_one_is_encoded() -> None:
    assert b'To: "Cora O\'Neill, Inc"\r\n <c@example.org>' in written(
        address_header("To", [Address(address="c@example.org", name="Cora O'Neill, Inc")])
    )
    assert b"=?utf-8?b?" in written(address_header("To", [Address(address="c@example.org", name="Jürgen")]))


def test_long_ids_are_not_torn() -> None:
    ids = [f"{'x' * 200}{number}@mail.example" for number in range(20)]
    head = written(ids_header("References", ids))
    assert head.count(b"=?") == 0
    assert all(f"<{message_id}>".encode() in head for message_id in ids)


@pytest.mark.parametrize("lines", [[], [""], ["a\nb"], ["a\rb"], ["a", "b\x00"], ["a\u2028b"]])
def test_a_header_refuses_lines_that_would_break_out(lines: list[str]) -> None:
    with pytest.raises(ValueError, match="X-Test"):
        WrittenHeader("X-Test", lines)
