"""How much one client may ask of a channel."""

import pytest

from deskwire_intake.rates import NoPlace, Places, RateLimit, client_of


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_are_allowed_at_once_and_no_more() -> None:
    limit = RateLimit(3, 60, clock=Watch())
    assert [limit.take("ann") for _ in range(3)] == [0, 0, 0]
    assert limit.take("ann") > 0


def test_the_wait_that_is_told_is_the_wait_there_is() -> None:
    watch = Watch()
    limit = RateLimit(3, 60, clock=watch)
    while not (wait := limit.take()):
        pass
    watch.now += wait - 0.001
    assert limit.take() > 0
    watch.now += 0.002
    assert limit.take() == 0


def test_one_client_does_not_use_up_what_another_may() -> None:
    limit = RateLimit(1, 60, clock=Watch())
    assert limit.take("ann") == 0
    assert limit.take("bob") == 0
    assert limit.take("ann") > 0


def test_no_more_than_the_rate_passes_over_a_long_time() -> None:
    watch = Watch()
    limit = RateLimit(10, 10, clock=watch)
    passed = 0
    for _ in range(10_000):
        watch.now += 0.01
        passed += limit.take() == 0
    assert 100 <= passed <= 110


def test_a_flood_of_clients_does_not_fill_the_memory() -> None:
    limit = RateLimit(1, 60, remembered=100, clock=Watch())
    for number in range(1_000):
        limit.take(str(number))
    assert len(limit._free_at) == 100


def test_places_are_given_back() -> None:
    places = Places(most=2, most_each=1)
    with places.hold("ann"), places.hold("bob"):
        assert places.taken == 2
        with pytest.raises(NoPlace) as full, places.hold("cid"):
            pass
        assert full.value.is_full
    assert places.taken == 0
    with places.hold("ann"):
        with pytest.raises(NoPlace) as greedy, places.hold("ann"):
            pass
        assert not greedy.value.is_full


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_household_is_one_client(host: str, client: str) -> None:
    assert client_of(host) == client
