"""Which network addresses a connector may dial: public unicast only.

Everything else is refused: this machine, private and shared networks, link-local (cloud metadata), documentation,
multicast, and every IPv6 form that carries an IPv4 address inside (mapped ones are judged by the inner address; NAT64,
6to4, Teredo and IPv4-compatible are refused whatever they carry).
"""

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_V4 = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
"""
_V6 = """
::/128 ::1/128 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7
fe80::/10 fec0::/10 ff00::/8
"""
BLOCKED_V4 = tuple(ipaddress.IPv4Network(network) for network in _V4.split())
BLOCKED_V6 = tuple(ipaddress.IPv6Network(network) for network in _V6.split())


def is_public(address: Address) -> bool:
    """May this address be dialled?"""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in BLOCKED_V4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    return not any(address in network for network in BLOCKED_V6)


def parse_address(text: str) -> Address | None:
    """The address that the system would dial for this text without asking DNS; None for a name.

    Takes what `inet_aton` takes (2130706433, 0x7f000001, 0177.0.0.1, 127.1), brackets and zones.
    """
    bare = text.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except (OSError, UnicodeEncodeError):
        return None
