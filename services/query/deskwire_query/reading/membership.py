"""Which of some tickets belong to a selection, told without asking the database again.

Plain filters mean here what `selecting.py` makes of them in SQL; conditions and followers are left to SQL.
"""

from collections.abc import Iterator

from deskwire_query.reading.read_models import NO_CONDITIONS, NOBODY, TicketFilter, TicketRow


def is_plain(wanted: TicketFilter) -> bool:
    """Say whether a row alone tells if it belongs."""
    return wanted.conditions == NO_CONDITIONS and wanted.follower_id is None


def belongs(row: TicketRow, wanted: TicketFilter) -> bool:
    """Say whether a ticket belongs to a plain selection."""
    return all(_answers(row, wanted))


def _answers(row: TicketRow, wanted: TicketFilter) -> Iterator[bool]:
    yield not wanted.statuses or row.status in wanted.statuses
    yield not wanted.priorities or row.priority in wanted.priorities
    yield wanted.ticket_type in {None, row.ticket_type}
    yield wanted.requester_id in {None, row.requester_id}
    yield wanted.channel in {None, row.channel}
    yield wanted.breached in {None, row.breached}
    yield _is_owner(wanted.team_id, row.team_id)
    yield _is_owner(wanted.assignee_id, row.assignee_id)
    yield set(wanted.tags) <= set(row.tags)
    yield wanted.snoozed in {None, row.snoozed_until is not None}
    yield wanted.merged or row.merged_into is None
    yield from _in_time(row, wanted)


def _is_owner(wanted: str | None, owner: str | None) -> bool:
    return wanted is None or (owner is None if wanted == NOBODY else owner == wanted)


def _in_time(row: TicketRow, wanted: TicketFilter) -> Iterator[bool]:
    yield wanted.due_before is None or (row.due_at is not None and row.due_at < wanted.due_before)
    yield wanted.opened_after is None or row.opened_at >= wanted.opened_after
    yield wanted.opened_before is None or row.opened_at < wanted.opened_before
    yield wanted.updated_after is None or row.updated_at >= wanted.updated_after
