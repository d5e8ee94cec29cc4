"""Who waits before whom in a chat."""

from deskwire_intake.channels.chat.waiting import Waiting, positions


def test_who_came_first_stands_first_whichever_process_they_are_in() -> None:
    waiting = [Waiting(30, "c", "help"), Waiting(10, "a", "help"), Waiting(20, "b", "help")]
    assert positions(waiting) == {"a": 1, "b": 2, "c": 3}


def test_each_channel_has_a_queue_of_its_own() -> None:
    assert positions([Waiting(10, "a", "help"), Waiting(20, "b", "sales")]) == {"a": 1, "b": 1}


def test_who_came_at_the_same_time_have_places_of_their_own() -> None:
    assert sorted(positions([Waiting(10, "b", "help"), Waiting(10, "a", "help")]).values()) == [1, 2]


def test_a_customer_in_two_processes_stands_once_where_they_came_first() -> None:
    waiting = [Waiting(10, "a", "help"), Waiting(12, "a", "help"), Waiting(20, "b", "help")]
    assert positions(waiting) == {"a": 1, "b": 2}
