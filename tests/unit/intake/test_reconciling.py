"""What a mail server holds, against what the ledger says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from deskwire_intake.auditing.audit import receipts_in
from deskwire_intake.auditing.reconciling import Entered, Reconciliation, reconcile
from deskwire_intake.channels.imap.inventory import FolderInventory, Inventory
from deskwire_shared.contracts.channels import ImapMailbox
from deskwire_shared.contracts.intake_ledger import LedgerEntry

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VALIDITY = 7


def entry(uid: int, *, validity: int = VALIDITY, **changes: Any) -> LedgerEntry:
    usual = {"at": MONDAY, "via": "imap", "source": f"{validity}:{uid}", "decision": "opened", "number": uid}
    return LedgerEntry(**{**usual, **changes})


def entered(*entries: LedgerEntry) -> Entered:
    found = Entered()
    for one in entries:
        found.add(one)
    return found


def folder(uids: set[int], *, marked: set[int] | None = None, lately: set[int] | None = None) -> FolderInventory:
    return FolderInventory(
        uid_validity=VALIDITY,
        uid_next=100,
        uids=frozenset(uids),
        lately=frozenset(uids if lately is None else lately),
        marked=frozenset(uids if marked is None else marked),
    )


def compared(
    after: str, inventory: Inventory, found: Entered, since: datetime | None = None, **mailbox: Any
) -> Reconciliation:
    imap = ImapMailbox.model_validate({"host": "imap.example.com", "username": "support", "after": after, **mailbox})
    return reconcile("Support", imap, inventory, found, since)


def kept(there: FolderInventory, *entries: LedgerEntry, since: datetime | None = None) -> Reconciliation:
    return compared("keep_flagged", Inventory(folder=there, digests={}), entered(*entries), since)


def moved(there: FolderInventory, digests: dict[int, str | None], *entries: LedgerEntry) -> Reconciliation:
    inventory = Inventory(folder=there, moved=folder(set(digests)), digests=digests)
    return compared("move", inventory, entered(*entries), move_to="Done")


def test_a_server_and_a_ledger_with_the_same_mails_agree() -> None:
    found = kept(folder({1, 2}), entry(1), entry(2))
    assert (found.agrees, str(found)) == (True, "Support: server 2 = ledger 2")


def test_thousands_are_told_apart() -> None:
    many = range(1, 1205)
    there = FolderInventory(
        uid_validity=VALIDITY, uid_next=2000, uids=frozenset(many), lately=frozenset(many), marked=frozenset(many)
    )
    assert str(kept(there, *map(entry, many))) == "Support: server 1,204 = ledger 1,204"


def test_a_mail_that_was_fetched_twice_is_one_mail() -> None:
    assert kept(folder({1}), entry(1), entry(1, decision="repeated")).agrees


def test_a_mail_that_waits_is_told_apart_from_one_that_is_marked_and_was_never_entered() -> None:
    found = kept(folder({1, 2, 3}, marked={1, 2}), entry(1))
    assert (found.waiting, found.not_in_ledger) == (("7:3",), ("7:2",))
    assert str(found) == "Support: server 3 ≠ ledger 1"


def test_a_mail_that_somebody_deleted_is_named_with_its_ticket() -> None:
    found = kept(folder({1}), entry(1), entry(2))
    assert (found.not_on_server, str(found)) == (("7:2 (#2)",), "Support: server 1 ≠ ledger 2")


def test_a_mail_that_came_while_the_server_was_asked_is_no_difference() -> None:
    assert kept(folder({1}), entry(1), entry(100)).agrees


def test_numbers_of_before_the_mailbox_was_numbered_anew_name_no_mail_of_today() -> None:
    found = kept(folder({1}, marked=set()), entry(1, validity=6))
    assert found.waiting == ("7:1",)


def test_only_what_came_since_a_day_is_compared() -> None:
    late = MONDAY + timedelta(days=3)
    there = folder({1, 2, 3}, lately={3})
    found = kept(there, entry(2), entry(3, at=late), entry(4), since=MONDAY + timedelta(days=1))
    assert (found.agrees, str(found)) == (True, "Support: server 1 = ledger 1")


def test_a_mail_fetched_late_is_not_missing_for_having_arrived_early() -> None:
    late = MONDAY + timedelta(days=3)
    assert kept(folder({1}, lately=set()), entry(1, at=late), since=MONDAY + timedelta(days=1)).agrees


def test_mails_that_are_deleted_are_counted_by_the_ledger_alone() -> None:
    found = compared("delete", Inventory(folder=folder(set()), digests={}), entered(entry(1), entry(2)))
    assert (found.agrees, str(found)) == (True, "Support: ledger 2, folder empty")
    found = compared("delete", Inventory(folder=folder({3}, marked=set()), digests={}), entered(entry(1)))
    assert (found.waiting, str(found)) == (("7:3",), "Support: ledger 1, folder 1 mails")


def test_moved_mails_are_found_by_their_message_id() -> None:
    found = moved(folder(set()), {1: "a", 2: "b"}, entry(5, message_digest="a"), entry(6, message_digest="b"))
    assert (found.agrees, str(found)) == (True, "Support: server 2 = ledger 2")


def test_a_mail_that_stays_in_its_folder_is_no_moved_one() -> None:
    left = entry(5, decision="parked", message_digest=None)
    assert moved(folder({5}), {1: "a"}, left, entry(6, message_digest="a")).agrees


def test_mails_without_a_message_id_are_counted() -> None:
    assert moved(folder(set()), {1: None, 2: None}, entry(5), entry(6)).agrees
    assert moved(folder(set()), {1: None}, entry(5), entry(6)).not_on_server == ("7:6 (#6)",)


def test_a_moved_mail_that_was_never_entered_is_named() -> None:
    found = moved(folder(set()), {1: "a", 2: "b"}, entry(5, message_digest="a"))
    assert (found.not_in_ledger, str(found)) == (("UID 2 in Done",), "Support: server 2 ≠ ledger 1")


def test_a_mail_that_was_entered_and_is_nowhere_is_named() -> None:
    found = moved(folder(set()), {1: "a"}, entry(5, message_digest="a"), entry(6, message_digest="b"))
    assert (found.not_on_server, str(found)) == (("7:6 (#6)",), "Support: server 1 ≠ ledger 2")


def test_receipts_are_read_from_the_log_of_a_mail_server() -> None:
    log = [
        "postfix/smtp[7]: 4XYZ: to=<a@b>, status=sent (250 2.0.0 The mail was accepted as abcdefgh234567ab)",
        "postfix/smtp[7]: 4XYW: to=<a@b>, status=deferred (451 4.3.0 The mail cannot be kept at the moment)",
    ]
    assert receipts_in(log) == {"abcdefgh234567ab"}
