"""Where webhooks may go (PS109): a URL is somebody else's choice, and must not reach what only this machine can reach.

The addresses that a name resolves to are checked when a connection is made, and the connection goes to the address
that was checked: a name that means something else a moment later gains nothing (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Every address of a host name. Raises OSError when there is none."""

_METADATA: Final = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"))
)
"""Where clouds tell a machine its own secrets."""
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = IPv6Network("::/96")


class Refused(OSError):
    """The guard lets no connection go there. The message names no address: whoever chose the URL may read it."""


class Guard:
    """`local`: a sandbox's, which may reach this machine and its private networks, and without TLS."""

    def __init__(self, *, local: bool, resolve: Resolve | None = None) -> None:
        self._local = local
        self._resolve = resolve or _system

    def objection(self, url: str) -> str | None:
        """Why nothing is sent to this URL, as far as the URL itself tells; None if it is."""
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            return "a URL has printable ASCII characters only; write other names in punycode"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return "this is not a URL"
        if parts.scheme not in ("https", "http") or not host or port == 0:
            return "a URL begins with https:// and a host"
        if parts.username is not None or parts.password is not None:
            return "a URL must not hold credentials: receivers verify the signature"
        if parts.fragment:
            return "a URL must not end in a fragment, which is never sent"
        if self._local:
            return None if self._may(host) else "this address cannot take webhooks"
        if parts.scheme != "https":
            return "a URL begins with https://"
        return None if self._may(host) else "the host is not on the public internet"

    def allows(self, address: Address) -> bool:
        """Whether a connection may go to this address."""
        address = _meant(address)
        if address in _METADATA or address.is_multicast or address.is_unspecified or address.is_link_local:
            return False
        if address.is_global and not address.is_reserved:
            return True
        return self._local and (address.is_loopback or address.is_private)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to. Raises OSError: `Refused` when one of them is not allowed."""
        found = await self._resolve(host, port)
        if not found:
            raise OSError("the host name has no address")
        if not all(self.allows(ip_address(text)) for text in found):
            raise Refused("the host resolves to an address that webhooks may not go to")
        return list(found)

    def _may(self, host: str) -> bool:
        """Whether a host may do, judged by its name or literal address alone."""
        literal = _literal(host)
        if literal is not None:
            return self.allows(literal)
        name = host.rstrip(".").lower()
        return self._local or not (name == "localhost" or name.endswith(".localhost") or "." not in name)


def _literal(host: str) -> Address | None:
    """The address that a host is written as, also in the old forms such as 0x7f.1; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 address that stands for one; any other as it is."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if inner is not None:
        return inner
    if any(address in network for network in _NAT64) or (
        address in _COMPATIBLE and not address.is_loopback and not address.is_unspecified
    ):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


async def _system(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
