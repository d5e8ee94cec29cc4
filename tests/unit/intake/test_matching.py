"""Which ticket an inbound mail belongs to."""

from hypothesis import given
from hypothesis import strategies as st

from deskwire_intake.mail import parse_mail
from deskwire_intake.matching import (
    Candidate,
    Expected,
    ForeignReference,
    Loop,
    NewTicket,
    OwnReference,
    Reply,
    ResolvedTicket,
    SubjectNumber,
    TicketToken,
    Writer,
    candidates,
    choose,
    loop,
    subject_number,
    thread_root,
)
from deskwire_shared.contracts.threading_tokens import loop_token, message_id_for, reply_address
from unit.intake.inbound import a_mail

KEY = b"the key of this desk"
MAILBOX = "support@example.com"
PRINTER, TONER, PAPER = "aaaaaaaaaaaaaaa2", "bbbbbbbbbbbbbbb3", "ccccccccccccccc4"
REPLY_ID = "rrrrrrrrrrrrrrr5"
ANN, BOB = "ann@example.net", "bob@example.org"
FOREIGN = "foreign@example.net"

CANDIDATES: tuple[Candidate, ...] = (
    TicketToken(PRINTER),
    OwnReference(TONER),
    ForeignReference("foreign@example.net"),
    SubjectNumber(42),
)


def own_message_id(ticket_id: str) -> str:
    return message_id_for(REPLY_ID, ticket_id, KEY, "example.com")


def ticket(ticket_id: str, *participants: str) -> ResolvedTicket:
    """A ticket that its first participant opened with a mail of theirs."""
    return ResolvedTicket(ticket_id, frozenset(participants), frozenset(participants[:1]), FOREIGN)


def test_candidates_come_in_the_order_of_their_proof() -> None:
    mail = parse_mail(
        a_mail(
            subject="Re: [#42] Printer",
            references=f"<{own_message_id(TONER)}> <foreign@example.net>",
            to=reply_address(MAILBOX, PRINTER, KEY),
        )
    )
    assert candidates(mail, KEY) == CANDIDATES


def test_the_nearest_mail_of_the_thread_comes_first() -> None:
    mail = parse_mail(a_mail(references="<old@x.y> <new@x.y>", in_reply_to="<parent@x.y>"))
    assert candidates(mail, KEY) == (
        Expected("a@example.net"),
        ForeignReference("parent@x.y"),
        ForeignReference("new@x.y"),
        ForeignReference("old@x.y"),
    )


def test_a_token_counts_wherever_the_mail_was_delivered() -> None:
    mail = parse_mail(a_mail(x_original_to=reply_address(MAILBOX, PRINTER, KEY)))
    assert candidates(mail, KEY) == (TicketToken(PRINTER),)


def test_a_forged_token_is_no_candidate() -> None:
    mail = parse_mail(a_mail(to=reply_address(MAILBOX, PRINTER, b"another key")))
    assert candidates(mail, KEY) == ()


def test_a_forged_own_reference_needs_the_lookup_of_a_foreign_one() -> None:
    forged = message_id_for(REPLY_ID, PRINTER, b"another key", "example.com")
    assert candidates(parse_mail(a_mail(in_reply_to=f"<{forged}>")), KEY) == (
        Expected("a@example.net"),
        ForeignReference(forged),
    )


def test_a_token_leads_to_its_ticket_whoever_writes() -> None:
    assert choose(CANDIDATES[:1], {CANDIDATES[0]: ticket(PRINTER)}, Writer("stranger@example.org")) == Reply(
        PRINTER, TicketToken(PRINTER)
    )


def test_a_merged_ticket_leads_to_where_it_went() -> None:
    assert choose(CANDIDATES[:1], {CANDIDATES[0]: ticket(PAPER)}, Writer(ANN)) == Reply(PAPER, TicketToken(PRINTER))


def test_a_subject_number_counts_for_who_takes_part() -> None:
    number = SubjectNumber(42)
    assert choose((number,), {number: ticket(PAPER, "Ann@Example.net")}, Writer(ANN)) == Reply(PAPER, number)


def test_a_subject_number_from_a_stranger_opens_a_ticket_and_suggests_a_link() -> None:
    number = SubjectNumber(42)
    assert choose((number,), {number: ticket(PAPER, ANN)}, Writer("stranger@example.org")) == NewTicket(PAPER)
    assert choose((number,), {number: ticket(PAPER, ANN)}, Writer(None)) == NewTicket(PAPER)


def test_a_foreign_reference_counts_for_who_takes_part_only() -> None:
    reference = ForeignReference("foreign@example.net")
    resolved: dict[Candidate, ResolvedTicket] = {reference: ticket(PAPER, ANN)}
    assert choose((reference,), resolved, Writer(ANN)) == Reply(PAPER, reference)
    assert choose((reference,), resolved, Writer("stranger@example.org")) == NewTicket(PAPER)


def test_a_foreign_reference_leads_to_the_ticket_of_somebody_who_is_written_to() -> None:
    reference = ForeignReference(FOREIGN)
    resolved: dict[Candidate, ResolvedTicket] = {reference: ticket(PAPER, ANN, BOB)}
    assert choose((reference,), resolved, Writer(BOB, frozenset({"Ann@Example.net"}))) == Reply(PAPER, reference)


def test_being_copied_in_by_a_stranger_draws_nobody_into_their_ticket() -> None:
    reference = ForeignReference("newsletter@example.com")
    resolved: dict[Candidate, ResolvedTicket] = {reference: ticket(PAPER, "stranger@example.org", ANN)}
    assert choose((reference,), resolved, Writer(ANN, frozenset({"editor@example.com"}))) == NewTicket()


def test_a_mail_joins_the_answer_to_it_that_came_first() -> None:
    expected = Expected("a@example.net")
    resolved: dict[Candidate, ResolvedTicket] = {expected: ticket(PAPER, BOB, ANN)}
    assert choose((expected,), resolved, Writer(ANN, frozenset({BOB}))) == Reply(PAPER, expected)
    assert choose((expected,), resolved, Writer(ANN)) == NewTicket()


def test_another_mail_with_the_same_message_id_is_no_answer_to_it() -> None:
    expected = Expected(FOREIGN)
    assert choose((expected,), {expected: ticket(PAPER, ANN)}, Writer(ANN)) == NewTicket()


def test_the_root_of_a_thread_is_its_oldest_mail_that_is_not_ours() -> None:
    own = own_message_id(TONER)
    assert thread_root(parse_mail(a_mail(references=f"<{own}> <old@x.y> <new@x.y>")), KEY) == "old@x.y"
    assert thread_root(parse_mail(a_mail(in_reply_to="<parent@x.y>")), KEY) == "parent@x.y"
    assert thread_root(parse_mail(a_mail(in_reply_to=f"<{own}>")), KEY) is None
    assert thread_root(parse_mail(a_mail()), KEY) is None


def test_what_nobody_knows_opens_a_ticket() -> None:
    assert choose(CANDIDATES, {}, Writer(ANN)) == NewTicket()
    assert choose((), {}, Writer(ANN)) == NewTicket()


@given(st.sets(st.sampled_from(CANDIDATES)))
def test_the_strongest_candidate_that_is_known_wins(known: set[Candidate]) -> None:
    tickets = dict(zip(CANDIDATES, (PRINTER, TONER, PAPER, "ddddddddddddddd5"), strict=True))
    match = choose(CANDIDATES, {candidate: ticket(tickets[candidate], ANN) for candidate in known}, Writer(ANN))
    strongest = next((candidate for candidate in CANDIDATES if candidate in known), None)
    assert match == (NewTicket() if strongest is None else Reply(tickets[strongest], strongest))


def test_subject_numbers() -> None:
    assert subject_number("Re: [#1234] Printer") == 1234
    assert subject_number("AW: WG: [#7] [#8]") == 7
    assert subject_number("Invoice #1234") is None
    assert subject_number("[#99999999999999999999]") is None


def test_our_own_mail_coming_back_is_a_loop() -> None:
    assert loop(parse_mail(a_mail(message_id=f"<{own_message_id(PRINTER)}>")), [MAILBOX], KEY) == Loop("own Message-ID")
    assert loop(parse_mail(a_mail(x_deskwire_loop=loop_token(KEY))), [MAILBOX], KEY) == Loop("own loop header")


def test_a_sender_that_is_a_mailbox_of_ours_is_a_loop() -> None:
    for sender in ("Support@Example.com", reply_address(MAILBOX, PRINTER, KEY)):
        assert loop(parse_mail(a_mail(from_=sender)), [MAILBOX], KEY) == Loop("own mailbox as sender")


def test_a_customer_and_the_mail_of_another_desk_are_no_loop() -> None:
    assert loop(parse_mail(a_mail()), [MAILBOX], KEY) is None
    assert loop(parse_mail(a_mail(from_="")), [MAILBOX], KEY) is None
    assert loop(parse_mail(a_mail(x_deskwire_loop=loop_token(b"another key"))), [MAILBOX], KEY) is None
