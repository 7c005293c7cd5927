"""Limits before parsing: a token bucket per network address in this process; nothing else must work for it.

Loopback has no limit: what arrives from there is a proxy that nobody named in TRUSTED_PROXIES, and one bucket for
everybody behind it would turn people away.
"""

import ipaddress
import threading
import time

BURST = 60
PER_SECOND = 1.0
MAX_ADDRESSES = 50_000


class Buckets:
    """Token buckets by name; thread-safe, bounded, forgetful when full."""

    def __init__(self, *, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        self.burst = burst
        self.per_second = per_second
        self._levels: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, name: str) -> int:
        """Take a token and return 0, or return in how many seconds to come again."""
        now = time.monotonic()
        with self._lock:
            level, since = self._levels.get(name, (float(self.burst), now))
            level = min(self.burst, level + (now - since) * self.per_second)
            if level < 1:
                self._levels[name] = (level, now)
                return max(1, round((1 - level) / self.per_second))
            if len(self._levels) >= MAX_ADDRESSES:
                self._levels.clear()
            self._levels[name] = (level - 1, now)
            return 0


submissions = Buckets()
measures = Buckets(burst=240, per_second=4.0)


def network_of(address: str) -> str:
    """Return the network that counts as one visitor: /24 of IPv4, /64 of IPv6; empty for loopback and nonsense."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if ip.is_loopback:
        return ""
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False))
