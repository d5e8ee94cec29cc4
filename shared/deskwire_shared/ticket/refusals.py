"""Why a wish is refused.

Refusal
├── TicketDoesNotExist, TicketAlreadyExists
├── TicketIsMerged (into), TicketIsClosed
├── Unknown                          what the wish names is not on the ticket
│   ├── UnknownMessage
│   ├── TaskUnknown
│   └── UnknownWebhookCall
├── NotNow                           the wish is sound, but not for this ticket as it stands
│   ├── IllegalStatusMove
│   ├── SnoozeInThePast, SnoozeTooFar, NothingToSnooze
│   ├── CannotMergeIntoItself, MergeWouldCircle, CannotSplitIntoItself, CannotLinkToItself
│   ├── MessageIdIsTaken, TaskIdIsTaken
│   ├── ReplyAlreadyDelivered, ReplyIsLeaving, ReplyWasWithdrawn
│   └── TaskAlreadyCompleted, RatingNotYet
└── Malformed                        no ticket could ever accept the wish
    ├── EmptyMessage, EmptySubject, EmptySplit, EmptyTitle
    ├── InvalidTag, InvalidFieldName, InvalidFieldValue, InvalidRating, InvalidDuration
    ├── UnreadableText
    └── TooLarge, TooMany, TooElaborate
"""

from typing import ClassVar


class Refusal(Exception):
    """A wish that is not granted; `code` is stable, the message a sentence for people."""

    code: ClassVar[str] = "refused"


class TicketDoesNotExist(Refusal):
    """Nothing was ever said under this id."""

    code = "ticket-does-not-exist"

    def __init__(self, ticket_id: str) -> None:
        super().__init__(f"There is no ticket {ticket_id}.")


class TicketAlreadyExists(Refusal):
    """A ticket starts once."""

    code = "ticket-already-exists"

    def __init__(self, ticket_id: str) -> None:
        super().__init__(f"Ticket {ticket_id} already exists.")


class TicketIsMerged(Refusal):
    """The ticket lives on as another one, `into`."""

    code = "ticket-is-merged"

    def __init__(self, into: str) -> None:
        super().__init__(f"The ticket was merged into {into}; go on there.")
        self.into = into


class TicketIsClosed(Refusal):
    """Closed is final; what comes after is a follow-up."""

    code = "ticket-closed"

    def __init__(self) -> None:
        super().__init__("The ticket is closed; open a follow-up instead.")


class Unknown(Refusal):
    """What the wish names is not on the ticket."""

    code = "unknown"


class UnknownMessage(Unknown):
    """No such message, or not of the kind the wish is about."""

    code = "unknown-message"

    def __init__(self, message_id: str) -> None:
        super().__init__(f"The ticket has no such message {message_id}.")


class TaskUnknown(Unknown):
    """No such task."""

    code = "unknown-task"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"The ticket has no task {task_id}.")


class UnknownWebhookCall(Unknown):
    """No webhook was asked for under this id."""

    code = "unknown-webhook-call"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"The ticket has no webhook call {request_id}.")


class NotNow(Refusal):
    """The wish is sound, but not for this ticket as it stands."""

    code = "not-now"


class IllegalStatusMove(NotNow):
    """One status cannot follow on the other."""

    code = "illegal-status-move"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A ticket cannot go from {before} to {after}.")


class SnoozeInThePast(NotNow):
    """A ticket sleeps until a moment still to come."""

    code = "snooze-in-the-past"

    def __init__(self) -> None:
        super().__init__("A ticket can only be snoozed until a moment in the future.")


class SnoozeTooFar(NotNow):
    """A ticket does not sleep for ever."""

    code = "snooze-too-far"

    def __init__(self, days: int) -> None:
        super().__init__(f"A ticket can be snoozed for {days} days at most.")


class NothingToSnooze(NotNow):
    """A solved ticket is out of sight already."""

    code = "nothing-to-snooze"

    def __init__(self) -> None:
        super().__init__("A solved ticket needs no snoozing.")


class CannotMergeIntoItself(NotNow):
    """A merge takes two tickets."""

    code = "cannot-merge-into-itself"

    def __init__(self) -> None:
        super().__init__("A ticket cannot be merged into itself.")


class MergeWouldCircle(NotNow):
    """The other ticket was merged into this one before."""

    code = "merge-would-circle"

    def __init__(self, into: str) -> None:
        super().__init__(f"{into} was merged into this ticket before.")


class CannotSplitIntoItself(NotNow):
    """A split makes another ticket."""

    code = "cannot-split-into-itself"

    def __init__(self) -> None:
        super().__init__("A ticket cannot be split into itself.")


class CannotLinkToItself(NotNow):
    """A link leads to another ticket."""

    code = "cannot-link-to-itself"

    def __init__(self) -> None:
        super().__init__("A ticket cannot be linked to itself.")


class MessageIdIsTaken(NotNow):
    """Something else was said under this id."""

    code = "message-id-is-taken"

    def __init__(self, message_id: str) -> None:
        super().__init__(f"Another message already has the id {message_id}.")


class TaskIdIsTaken(NotNow):
    """Another task has this id."""

    code = "task-id-is-taken"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"Another task already has the id {task_id}.")


class ReplyAlreadyDelivered(NotNow):
    """What has left the desk cannot be taken back."""

    code = "reply-already-delivered"

    def __init__(self) -> None:
        super().__init__("The reply has left the desk and cannot be withdrawn.")


class ReplyIsLeaving(NotNow):
    """The time to take the reply back is over, its delivery may be under way."""

    code = "reply-is-leaving"

    def __init__(self) -> None:
        super().__init__("The reply is being delivered and can no longer be withdrawn.")


class ReplyWasWithdrawn(NotNow):
    """A reply that was taken back is not delivered."""

    code = "reply-was-withdrawn"

    def __init__(self) -> None:
        super().__init__("The reply was withdrawn.")


class TaskAlreadyCompleted(NotNow):
    """A task is done once."""

    code = "task-already-completed"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"Task {task_id} is already done.")


class RatingNotYet(NotNow):
    """A customer rates what was done, not what is being done."""

    code = "rating-not-yet"

    def __init__(self) -> None:
        super().__init__("A ticket can be rated once it is solved.")


class Malformed(Refusal):
    """No ticket could ever accept the wish."""

    code = "malformed"


class EmptyMessage(Malformed):
    """A message says something."""

    code = "empty-message"

    def __init__(self) -> None:
        super().__init__("The message has neither words nor attachments.")


class EmptySubject(Malformed):
    """A subject says something."""

    code = "empty-subject"

    def __init__(self) -> None:
        super().__init__("The subject is empty.")


class EmptySplit(Malformed):
    """A split moves at least one message."""

    code = "empty-split"

    def __init__(self) -> None:
        super().__init__("A split needs at least one message.")


class EmptyTitle(Malformed):
    """A task says what is to be done."""

    code = "empty-title"

    def __init__(self) -> None:
        super().__init__("The task has no title.")


class InvalidTag(Malformed):
    """A tag is a short word."""

    code = "invalid-tag"

    def __init__(self, longest: int) -> None:
        super().__init__(f"A tag has 1 to {longest} characters.")


class InvalidFieldName(Malformed):
    """A field's name is written in small ASCII letters, digits and underscores."""

    code = "invalid-field-name"

    def __init__(self) -> None:
        super().__init__("A field's name is a small letter and up to 63 small letters, digits or underscores.")


class InvalidFieldValue(Malformed):
    """A field's number must survive JSON."""

    code = "invalid-field-value"

    def __init__(self, name: str) -> None:
        super().__init__(f"The number for field {name} is too big.")


class InvalidRating(Malformed):
    """A rating is a number from 1 to 5."""

    code = "invalid-rating"

    def __init__(self) -> None:
        super().__init__("A rating is a number from 1 to 5.")


class InvalidDuration(Malformed):
    """An agent works for seconds up to a day at a time."""

    code = "invalid-duration"

    def __init__(self, longest: int) -> None:
        super().__init__(f"Time is logged in seconds, from 1 to {longest}.")


class UnreadableText(Malformed):
    """NUL and lone surrogates cannot be stored or shown anywhere."""

    code = "unreadable-text"

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} has characters that no database stores.")


class TooLarge(Malformed):
    """Bigger than the desk takes."""

    code = "too-large"

    def __init__(self, what: str, size: int, limit: int, *, unit: str = "bytes") -> None:
        super().__init__(f"The {what} has {size} {unit}; at most {limit} are accepted.")


class TooElaborate(Malformed):
    """HTML that could stall or end the programs that read it."""

    code = "too-elaborate"

    def __init__(self) -> None:
        super().__init__("The HTML has too many tags, or too much formatting in them; send it shorter or as a file.")


class TooMany(Malformed):
    """More than the desk takes."""

    code = "too-many"

    def __init__(self, what: str, count: int, limit: int) -> None:
        super().__init__(f"{count} {what} are too many; at most {limit} are accepted.")
