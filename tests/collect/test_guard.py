import pytest

from newsletter.collect.guard import is_allowed, refusal_of


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::",
        "2001:0:7f00:1::1", "2001:db8::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "3fff::1",
        "100::1", "5f00::1", "localhost", "",
    ],
)  # fmt: skip
def test_what_is_not_public_may_not_be_dialled(address: str) -> None:
    assert refusal_of(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"])
def test_a_public_address_may(address: str) -> None:
    assert refusal_of(address) is None


@pytest.mark.parametrize(
    ("host", "entry", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.2", "127.0.0.1", False),
        ("127.4.5.6", "127.0.0.0/8", True),
        ("feeds.intranet", "Feeds.Intranet.", True),
        ("evil.feeds.intranet", "feeds.intranet", False),
        ("::1", "[::1]", True),
        ("localhost", "127.0.0.1", False),
    ],
)
def test_an_operator_allows_hosts_by_name_and_addresses_by_number(host: str, entry: str, allowed: bool) -> None:
    assert is_allowed(host, [entry]) is allowed
