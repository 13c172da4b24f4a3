"""Where webhooks may go (PS109): URLs, addresses, and names that change their meaning."""

import asyncio
from ipaddress import ip_address

import pytest

from bursar.engine.webhooks.sending import NO_ANSWER, Outgoing
from bursar.server.webhooks.guard import Guard, Refused
from bursar.server.webhooks.sender import HttpSender

PUBLIC, LOCAL = Guard(local=False), Guard(local=True)


@pytest.mark.parametrize(
    ("address", "public", "sandbox"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1:248:1893:25c8:1946", True, True),
        ("127.0.0.1", False, True),
        ("127.255.255.254", False, True),
        ("::1", False, True),
        ("10.0.0.1", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("fd00::1", False, True),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("169.254.0.1", False, False),
        ("169.254.169.254", False, False),  # the clouds' metadata
        ("fd00:ec2::254", False, False),
        ("100.100.100.200", False, False),
        ("fe80::1", False, False),
        ("100.64.0.1", False, False),  # carriers' own
        ("192.0.0.1", False, True),
        ("192.0.2.1", False, True),  # documentation
        ("198.18.0.1", False, True),  # benchmarks
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("240.0.0.1", False, True),
        ("255.255.255.255", False, True),
        ("::ffff:127.0.0.1", False, True),  # IPv4 inside IPv6
        ("::ffff:169.254.169.254", False, False),
        ("::ffff:93.184.216.34", True, True),
        ("::127.0.0.1", False, True),
        ("2002:7f00:1::", False, True),  # 6to4 of 127.0.0.1
        ("2002:a9fe:a9fe::", False, False),
        ("64:ff9b::7f00:1", False, True),  # NAT64 of 127.0.0.1
        ("64:ff9b::a9fe:a9fe", False, False),
        ("64:ff9b::5db8:d822", True, True),
        ("2001:0:53aa:64c:0:fbff:5601:5601", False, False),  # Teredo of 169.254.169.254
        ("2001:db8::1", False, True),
    ],
)
def test_ps109_addresses(address: str, public: bool, sandbox: bool):
    assert PUBLIC.allows(ip_address(address)) is public
    assert LOCAL.allows(ip_address(address)) is sandbox


@pytest.mark.parametrize(
    ("url", "public", "sandbox"),
    [
        ("https://shop.example.com/hooks?a=1", True, True),
        ("https://shop.example.com:8443/", True, True),
        ("https://93.184.216.34/", True, True),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/", True, True),
        ("http://shop.example.com/", False, True),
        ("http://localhost:3000/hooks", False, True),
        ("https://localhost/", False, True),
        ("https://LOCALHOST./", False, True),
        ("https://api.localhost/", False, True),
        ("https://intranet/", False, True),
        ("https://127.0.0.1/", False, True),
        ("https://127.1/", False, True),
        ("https://0x7f.1/", False, True),
        ("https://2130706433/", False, True),
        ("https://0177.0.0.1/", False, True),
        ("https://[::1]/", False, True),
        ("https://[::ffff:10.0.0.1]/", False, True),
        ("https://169.254.169.254/latest/meta-data", False, False),
        ("https://2852039166/", False, False),
        ("https://0/", False, False),
        ("https://user:secret@shop.example.com/", False, False),
        ("https://shop.example.com@10.0.0.1/", False, False),
        ("https://shop.example.com/#part", False, False),
        ("https://shop.example.com:0/", False, False),
        ("https://shop.example.com:99999/", False, False),
        ("https:///path", False, False),
        ("https://", False, False),
        ("ftp://shop.example.com/", False, False),
        ("file:///etc/passwd", False, False),
        ("gopher://shop.example.com/", False, False),
        ("//shop.example.com/", False, False),
        ("/path", False, False),
        ("", False, False),
        ("https://shop.example.com/a b", False, False),
        ("https://shop.example.com/\r\nX-Evil: 1", False, False),
        ("https://shop.example.com\\@10.0.0.1/", False, False),
        ("https://münchen.example.com/", False, False),
        ("https://[::1", False, False),
    ],
)
def test_ps109_urls(url: str, public: bool, sandbox: bool):
    assert (PUBLIC.objection(url) is None) is public
    assert (LOCAL.objection(url) is None) is sandbox


def test_ps109_one_bad_address_among_good_ones_is_enough():
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(Refused) as refused:
        asyncio.run(Guard(local=False, resolve=resolve).addresses("shop.example.com", 443))
    assert "10.0.0.1" not in str(refused.value), "who chose the URL must not learn the network behind"


def test_ps109_a_name_that_turns_to_a_private_address_is_refused_at_connect_time():
    """DNS rebinding: public when the endpoint was made, private when the webhook is sent."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    guard = Guard(local=False, resolve=resolve)
    assert guard.objection("https://rebind.example.com/") is None
    outgoing = Outgoing("https://rebind.example.com/", [], b"{}")
    answer = asyncio.run(HttpSender(guard).send(outgoing, 5))
    assert answer.status_code == NO_ANSWER
    assert answer.error == "the host resolves to an address that webhooks may not go to"
    assert asked == ["rebind.example.com"]


def test_ps109_an_endpoint_of_a_time_when_it_was_allowed_gets_nothing():
    """A sandbox's endpoint in a server for real money: the URL is looked at again."""
    outgoing = Outgoing("http://127.0.0.1:9/", [], b"{}")
    answer = asyncio.run(HttpSender(Guard(local=False)).send(outgoing, 5))
    assert answer.status_code == NO_ANSWER
    assert answer.error == "a URL begins with https://"
