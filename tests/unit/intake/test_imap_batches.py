"""How mails of a mailbox are grouped, and who sent them."""

from deskwire_intake.channels.imap.batches import FetchedMail, batches, conversations, fetched_mail
from unit.intake.inbound import a_mail


def a_fetched_mail(uid: int, message_id: str, *refers_to: str) -> FetchedMail:
    return FetchedMail(uid, b"", "ann@example.net", message_id, frozenset(refers_to))


def numbers(groups: list[list[FetchedMail]]) -> list[list[int]]:
    return sorted([mail.uid for mail in group] for group in groups)


def test_a_batch_has_no_more_mails_and_bytes_than_fit() -> None:
    assert list(batches(dict.fromkeys(range(5), 10), most_bytes=1000, most_mails=2)) == [[0, 1], [2, 3], [4]]
    assert list(batches({1: 400, 2: 600, 3: 1}, most_bytes=1000, most_mails=9)) == [[1, 2], [3]]


def test_a_mail_larger_than_a_batch_is_one_by_itself() -> None:
    assert list(batches({1: 10, 2: 5000, 3: 10}, most_bytes=1000, most_mails=9)) == [[1], [2], [3]]


def test_a_suspicious_mail_is_fetched_alone() -> None:
    assert list(batches(dict.fromkeys(range(5), 1), most_bytes=99, most_mails=9, alone={2})) == [[0, 1], [2], [3, 4]]


def test_no_mails_are_no_batch() -> None:
    assert list(batches({}, most_bytes=1, most_mails=1)) == []


def test_mails_that_refer_to_each_other_are_one_conversation() -> None:
    mails = [a_fetched_mail(1, "a"), a_fetched_mail(2, "x"), a_fetched_mail(3, "b", "a"), a_fetched_mail(4, "c", "b")]
    assert numbers(conversations(mails)) == [[1, 3, 4], [2]]


def test_two_conversations_that_one_mail_joins_are_one() -> None:
    mails = [a_fetched_mail(1, "a"), a_fetched_mail(2, "b"), a_fetched_mail(3, "c", "a", "b")]
    assert numbers(conversations(mails)) == [[1, 2, 3]]


def test_answers_to_a_mail_that_is_not_there_stay_in_order() -> None:
    mails = [a_fetched_mail(2, "c", "ours"), a_fetched_mail(1, "b", "ours")]
    assert numbers(conversations(mails)) == [[1, 2]]


def test_a_parent_comes_before_its_reply_whatever_their_numbers() -> None:
    mails = [a_fetched_mail(1, "c", "a", "b"), a_fetched_mail(2, "b", "a"), a_fetched_mail(3, "a")]
    assert numbers(conversations(mails)) == [[3, 2, 1]]


def test_mails_that_refer_to_each_other_in_a_circle_are_all_there() -> None:
    mails = [a_fetched_mail(1, "a", "b"), a_fetched_mail(2, "b", "a")]
    assert numbers(conversations(mails)) == [[1, 2]]


def test_the_sender_is_who_the_last_server_named() -> None:
    assert fetched_mail(1, b"Return-Path: <bounces@list.example>\n" + a_mail()).sender == "bounces@list.example"
    assert fetched_mail(1, b"Return-Path: <>\n" + a_mail()).sender == ""


def test_without_the_word_of_a_server_the_author_is_the_sender() -> None:
    assert fetched_mail(1, a_mail()).sender == "ann@example.net"
    assert fetched_mail(1, b"Subject: Nobody\n\n").sender == ""


def test_a_mail_knows_its_own_id_and_those_it_refers_to() -> None:
    mail = fetched_mail(7, a_mail(in_reply_to="<b@x>", references="<a@x> <b@x>", message_id="<c@x>"))
    assert (mail.message_id, mail.refers_to) == ("c@x", frozenset({"a@x", "b@x"}))
    assert mail.thread == {"a@x", "b@x", "c@x"}
