"""Whom the desk believes about a mail: trusted relays, and nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_intake.channels.email.trust import NOBODY, TrustedRelays
from deskwire_intake.mail import parse_mail
from deskwire_intake.settings import IntakeSettings
from deskwire_shared.contracts.facts import Opened
from deskwire_shared.contracts.mails import Authentication
from deskwire_shared.ticket.commands import ChangeStatus
from unit.intake.inbound import a_mail
from unit.intake.mail_desk import MailDesk, texts, token_of

RELAY = "mx.example.com"
TRUST = TrustedRelays(frozenset({RELAY}))
POSTFIX = f"{RELAY}; spf=pass smtp.mailfrom=example.net; dkim=pass (2048-bit key) header.d=example.net; dmarc=none"
GMAIL = (
    f"{RELAY};\n       dkim=pass header.i=@example.net header.s=s1 header.b=abc;\n       spf=pass (example: domain of"
    " ann@example.net designates 192.0.2.1 as permitted sender) smtp.mailfrom=ann@example.net;\n"
    "       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.net"
)
EXCHANGE = (
    "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=example.net; dkim=none (message not signed)"
    " header.d=none;dmarc=fail action=oreject header.from=example.net;compauth=none reason=451"
)


def vouched(*fields: str, trust: TrustedRelays = TRUST, **mail: str) -> Authentication | None:
    raw = "".join(f"Authentication-Results: {field}\n" for field in fields).encode() + a_mail(**mail)
    return trust.vouch(parse_mail(raw))


def verdict(*fields: str, **mail: str) -> str:
    found = vouched(*fields, trust=TRUST, **mail)
    assert found is not None
    return found.sender


def test_the_results_of_a_trusted_relay_are_read() -> None:
    assert vouched(GMAIL) == Authentication(
        relay=RELAY, sender="verified", domain="example.net", spf="pass", dkim="pass", dmarc="pass"
    )


def test_a_signature_of_the_authors_domain_verifies_them_without_dmarc() -> None:
    assert verdict(POSTFIX) == "verified"
    assert verdict(POSTFIX, from_="ann@mail.example.net") == "verified"


@pytest.mark.parametrize("author", ["ann@example.org", "ann@notexample.net", "ann@net"])
def test_a_signature_of_another_domain_verifies_nobody(author: str) -> None:
    assert verdict(POSTFIX, from_=author) == "unverified"


def test_a_signature_of_a_whole_top_level_domain_verifies_nobody() -> None:
    assert verdict(f"{RELAY}; dkim=pass header.d=net") == "unverified"


def test_the_results_of_others_are_ignored() -> None:
    assert vouched(GMAIL.replace(RELAY, "mx.attacker.example")) is None
    assert vouched(GMAIL, trust=NOBODY) is None
    assert vouched() is None


def test_what_a_sender_slips_in_below_cannot_better_the_verdict() -> None:
    assert verdict(f"{RELAY}; dmarc=fail header.from=example.net", GMAIL) == "failed"
    assert verdict(f"{RELAY}; dmarc=pass header.from=example.org") == "unverified"


@pytest.mark.parametrize("real", ["dmarc=none", "dmarc=temperror", "dkim=none", "dkim=fail header.d=example.net"])
def test_what_a_sender_slips_in_in_the_name_of_a_relay_verifies_nobody(real: str) -> None:
    forged = "dkim=pass header.d=example.net" if "dkim" in real else "dmarc=pass header.from=example.net"
    assert verdict(f"{RELAY}; spf=none; {real}", f"{RELAY}; {forged}") == "unverified"


def test_a_relay_may_tell_of_each_method_in_a_field_of_its_own() -> None:
    assert (
        verdict(f"{RELAY}; dmarc=pass header.from=example.net", f"{RELAY}; dkim=pass header.d=list.example")
        == "verified"
    )
    assert verdict(f"{RELAY}; spf=none", f"{RELAY}; dkim=pass header.d=example.net") == "verified"


def test_one_signature_that_holds_is_enough() -> None:
    assert verdict(f"{RELAY}; dkim=fail header.d=list.example; dkim=pass header.d=example.net") == "verified"


def test_quoted_words_and_comments_are_no_results() -> None:
    assert (
        verdict(f'{RELAY}; spf=pass smtp.mailfrom="x; dmarc=pass header.from=example.net"@evil.example') == "unverified"
    )
    assert verdict(f"{RELAY}; spf=none (dmarc=pass (dkim=pass header.d=example.net))") == "unverified"


def test_a_server_that_leaves_its_name_out_is_believed_when_it_is_told_to_be() -> None:
    assert vouched(EXCHANGE) is None
    found = vouched(EXCHANGE, trust=TrustedRelays(frozenset({"unnamed"})))
    assert found is not None
    assert (found.sender, found.spf, found.dkim, found.dmarc) == ("failed", "fail", "none", "fail")


def test_a_name_with_a_dot_before_it_means_all_below_it() -> None:
    trust = TrustedRelays(frozenset({".example.com"}))
    assert trust.trusts("mx.example.com")
    assert trust.trusts("A.B.example.com")
    assert not trust.trusts("example.com")
    assert not trust.trusts("mx.notexample.com")


def test_relays_are_named_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKWIRE_INTAKE_TRUSTED_RELAYS", "MX.example.com, .example.org,")
    assert IntakeSettings().trusted_relays == ("mx.example.com", ".example.org")


@given(st.text(max_size=300))
def test_whatever_stands_in_the_field_is_read(value: str) -> None:
    raw = b"Authentication-Results: mx.example.com; " + value.encode("utf-8", "replace") + b"\n" + a_mail()
    TRUST.vouch(parse_mail(raw))


@pytest.mark.parametrize("value", ["(" * 4_000, "a=" * 2_000, "x=y;" * 1_000, '="' * 2_000, "(\\" * 2_000])
def test_a_hostile_field_takes_little_time(value: str) -> None:
    vouched(*[value] * 50)


SPAM_FIELDS = {
    "x_spam_flag": "YES",
    "x_spam_status": "Yes, score=9.1 required=5.0 tests=BAYES_99",
    "x_spam": "Yes",
    "x_ms_exchange_organization_scl": "6",
    "x_forefront_antispam_report": "CIP:192.0.2.1;SFV:SPM;SCL:5;",
}
HAM_FIELDS = {
    "x_spam_flag": "NO",
    "x_spam_status": "No, score=-1.9 required=5.0 autolearn=ham tests=YES",
    "x_ms_exchange_organization_scl": "-1",
    "x_forefront_antispam_report": "CIP:192.0.2.1;SFV:NSPM;SCL:1;",
}


def a_marked_mail(received_by: str = RELAY, **fields: str) -> bytes:
    return a_mail(received=f"from sender.example by {received_by} with ESMTP; today", **fields)


@pytest.mark.parametrize(("name", "value"), SPAM_FIELDS.items())
def test_a_mail_that_a_trusted_relay_marks_is_spam(name: str, value: str) -> None:
    assert TRUST.calls_spam(parse_mail(a_marked_mail(**{name: value})))


@pytest.mark.parametrize(("name", "value"), HAM_FIELDS.items())
def test_a_mail_that_it_does_not_mark_is_none(name: str, value: str) -> None:
    assert not TRUST.calls_spam(parse_mail(a_marked_mail(**{name: value})))


def test_marks_are_not_heeded_without_a_trusted_relay_or_when_switched_off() -> None:
    marked = parse_mail(a_marked_mail(x_spam_flag="YES"))
    assert not NOBODY.calls_spam(marked)
    assert not TRUST.calls_spam(parse_mail(a_marked_mail("mx.elsewhere.example", x_spam_flag="YES")))
    assert not TrustedRelays(frozenset({RELAY}), heeds_spam=False).calls_spam(marked)


async def test_spam_opens_a_ticket_that_says_so() -> None:
    desk = MailDesk(trusted=(RELAY,))
    ticket = await desk.ticket((await desk.accept(a_marked_mail(x_spam_flag="YES"))).ticket_id)
    assert (ticket.tags, ticket.messages[0].spam) == (("spam",), True)


async def test_spam_reopens_nothing() -> None:
    desk = MailDesk(trusted=(RELAY,))
    ticket = await desk.opened()
    await desk.do(ticket.id, ChangeStatus(status="solved"))
    await desk.accept(a_marked_mail(x_spam_flag="YES", to=token_of(ticket), message_id="<s@x>"))
    ticket = await desk.ticket(ticket.id)
    assert (ticket.status, len(texts(ticket))) == ("solved", 2)


async def test_what_a_relay_says_is_kept_with_the_message() -> None:
    desk = MailDesk(trusted=(RELAY,))
    raw = f"Authentication-Results: {GMAIL}\n".encode() + a_mail()
    (opened,) = (await desk.history((await desk.accept(raw)).ticket_id))[0].facts
    assert isinstance(opened, Opened)
    assert opened.authentication is not None
    assert opened.authentication.sender == "verified"


@pytest.mark.parametrize("proof", ["reference", "number"])
async def test_a_participant_whose_mail_fails_dmarc_opens_a_linked_ticket(proof: str) -> None:
    desk = MailDesk(trusted=(RELAY,))
    ticket = await desk.opened()
    pointer = {"in_reply_to": "<a@example.net>"} if proof == "reference" else {"subject": f"[#{ticket.number}]"}
    forged = f"Authentication-Results: {RELAY}; dmarc=fail\n".encode() + a_mail(message_id="<f@x>", **pointer)
    opened = await desk.ticket((await desk.accept(forged)).ticket_id)
    assert opened.id != ticket.id
    assert [(link.ticket_id, link.kind) for link in opened.links] == [(ticket.id, "related")]


async def test_a_signed_reply_address_counts_even_then() -> None:
    desk = MailDesk(trusted=(RELAY,))
    ticket = await desk.opened()
    raw = f"Authentication-Results: {RELAY}; dmarc=fail\n".encode() + a_mail(to=token_of(ticket), message_id="<f@x>")
    assert (await desk.accept(raw)).ticket_id == ticket.id
