"""Which address a request came from, when proxies may stand between.

A header such as X-Forwarded-For is believed only as far as it was written by proxies that the operator named: the
chain is walked from our side, and the first address that is no trusted proxy is the client's.
"""

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether the text is an address inside one of the networks; False for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in networks)


def client_address(peer: str, forwarded_for: str, trusted: Iterable[Network]) -> str:
    """The client's address: `peer` is the socket's, `forwarded_for` the X-Forwarded-For header, oldest hop first."""
    trusted = tuple(trusted)
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    address = peer
    while hops and is_within(address, trusted):
        address = hops.pop()
    return address
