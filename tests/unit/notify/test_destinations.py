"""Requests go to the public internet only."""

import ipaddress

import pytest

from deskwire_notify.requests.destinations import Destination, destination_of, is_public
from deskwire_notify.undeliverable import NotReady, Undeliverable

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1",
    "2002:a00:1::", "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("ip", PRIVATE)
def test_an_address_of_some_inside_is_not_public(ip: str) -> None:
    assert not is_public(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", PUBLIC)
def test_an_address_of_the_internet_is_public(ip: str) -> None:
    assert is_public(ipaddress.ip_address(ip))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]:8443/x",
        "https://169.254.169.254/latest/meta-data",
        "http://8.8.8.8/x",
        "ftp://8.8.8.8/x",
        "https://user:pass@8.8.8.8/x",
        "https://8.8.8.8:99999/x",
        "https:///x",
        "https://[/x",
        "8.8.8.8",
        "",
    ],
)
async def test_a_request_does_not_go_inside_or_anywhere_odd(url: str) -> None:
    with pytest.raises(Undeliverable):
        await destination_of(url)


async def test_a_request_goes_to_the_address_that_was_checked() -> None:
    assert await destination_of("https://8.8.8.8:8443/x") == Destination("8.8.8.8", 8443, "8.8.8.8")
    assert await destination_of("https://8.8.8.8") == Destination("8.8.8.8", 443, "8.8.8.8")


async def test_an_administrator_may_allow_the_private_network() -> None:
    found = await destination_of("http://localhost:8080/x", allow_private=True)
    assert (found.host, found.port) == ("localhost", 8080)
    with pytest.raises(Undeliverable):
        await destination_of("ftp://localhost/x", allow_private=True)


@pytest.mark.parametrize("host", ["nobody.invalid", "x" * 64 + ".example", "a..b"])
async def test_a_host_that_cannot_be_found_is_tried_again(host: str) -> None:
    with pytest.raises(NotReady):
        await destination_of(f"https://{host}/x")
