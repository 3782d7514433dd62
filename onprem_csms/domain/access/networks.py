"""Addresses and the networks they stand for: who owns one IPv4 address often has its /24, and an IPv6 host its /64."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=20_000)
def network_of(address: str) -> str:
    """Return the network that tries and connections of an address are counted in; the text itself where it is none."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:60]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(ip_network((found, 64), strict=False))
        found = found.ipv4_mapped
    return str(ip_network((found, 24), strict=False))


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and networks; ValueError names the one that is neither."""
    return tuple(ip_network(name, strict=False) for name in names)


def within(address: str, trusted: Sequence[Network]) -> bool:
    """Tell whether an address lies in one of some networks."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found.version == network.version and found in network for network in trusted)


def is_local(host: str) -> bool:
    """Tell whether a host is written as an address of a private network, of the link or of this machine."""
    try:
        found = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return found.is_private or found.is_loopback or found.is_link_local


def real_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return who asks: the last address of X-Forwarded-For that no trusted proxy has, or the peer itself.

    Only what a trusted proxy added is believed; a visitor may have written the rest.
    """
    address = peer
    for one in reversed(forwarded):
        if not within(address, trusted):
            break
        address = one
    return address
