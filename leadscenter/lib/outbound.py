"""The only HTTP client: every request that leaves the house goes through `send`.

Addresses are judged at the socket, not at the name, so that no spelling, no DNS answer and no change of DNS between
the check and the call leads inside. No redirects, no proxies from the environment, no cookies, no decompression. A call
ends after its total deadline whatever the other side does; at most 64 KiB of an answer are read.
"""

import asyncio
import re
import socket
import time
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache

import aiohttp
from yarl import URL

from leadscenter.lib.addresses import is_public, parse_address

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024
MAX_EXCERPT_BYTES = 2 * 1024
MAX_URL = 2000
PORTS = frozenset({443, 8443})
USER_AGENT = "Holdfast/1"
Session = aiohttp.ClientSession
NOBODY: frozenset[str] = frozenset()

_FORBIDDEN_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_USER_INFO = re.compile(r"[^/]*//[^/?#]*@")
_PLAIN_HOST = re.compile(r"[a-z0-9._:-]+\Z")
_LINE_BREAK = re.compile(r"[\x00\r\n]")
_LOCAL_NAMES = re.compile(r"(^|\.)(localhost|localdomain|internal|local|home\.arpa)\Z")
_SCHEMES = frozenset({"https", "http"})
_may_dial_anything: ContextVar[bool] = ContextVar("may_dial_anything", default=False)

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class OutboundError(Exception):
    """A call that brought no answer. The text is ours and holds nothing from the other side."""


class Blocked(OutboundError):
    """The address, the port, the scheme or the form of the URL is not allowed."""


class Unreachable(OutboundError):
    """No connection, or it ended before a whole answer had come."""


class TimedOut(OutboundError):
    """The deadline passed; whether the other side has acted is unknown."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `total` is the deadline in seconds over everything, look-up and answer included."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    total: float = TOTAL_SECONDS
    connect: float = CONNECT_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` in lower case, `body` cut at 64 KiB (`whole` says if that was all), `ms` taken."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool
    ms: int

    @property
    def excerpt(self) -> bytes:
        """The first 2 KiB of the body, for the attempt's record; may hold personal data."""
        return self.body[:MAX_EXCERPT_BYTES]


def judge_url(url: str, allowed: Collection[str] = NOBODY) -> None:
    """Is this a URL that we would ever call? Raises `Blocked`; asks no DNS and opens nothing.

    `allowed`: entries `host[:port]` that may be private and plain http, on any port if none is given.
    """
    _judged(url, allowed)


def host_of(url: str) -> str:
    """The host of a URL in the spelling that is dialled, lower case; "" when there is none."""
    try:
        return (URL(url).raw_host or "").rstrip(".").lower()
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as they are dialled; "" when there is none."""
    try:
        return str(URL(url).origin())
    except ValueError:
        return ""


def new_session(limit_per_host: int = 4) -> aiohttp.ClientSession:
    """A session for `send`, to be closed by the caller; must be made inside the running loop. 0 = no limit per host."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=limit_per_host, socket_factory=_judging_socket),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def send(session: aiohttp.ClientSession, call: Call, allowed: Collection[str] = NOBODY) -> Answer:
    """Send one request and read its answer. Raises `Blocked`, `Unreachable`, `TimedOut`; a status is never an error."""
    url, listed = _judged(call.url, allowed)
    if any(_LINE_BREAK.search(text) for pair in call.headers.items() for text in pair):
        raise Blocked("a header holds a line break")
    token = _may_dial_anything.set(listed)
    started = time.monotonic()
    try:
        async with asyncio.timeout(call.total):
            return await _exchange(session, call, url, started)
    except TimeoutError as error:
        raise TimedOut("no whole answer within the deadline") from error
    except aiohttp.ClientError as error:
        raise _unreachable(error) from error
    except OSError as error:
        raise Unreachable("the connection failed") from error
    finally:
        _may_dial_anything.reset(token)


async def _exchange(session: aiohttp.ClientSession, call: Call, url: URL, started: float) -> Answer:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=call.connect)
    async with session.request(
        call.method, url, headers=call.headers, data=call.body or None, allow_redirects=False, timeout=timeout
    ) as response:
        body, whole = await _read(response.content)
        if not whole:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, body, whole, round((time.monotonic() - started) * 1000))


async def _read(content: aiohttp.StreamReader) -> tuple[bytes, bool]:
    pieces: list[bytes] = []
    left = MAX_ANSWER_BYTES
    while left:
        piece = await content.read(left)
        if not piece:
            return b"".join(pieces), True
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces), content.at_eof()


def _unreachable(error: aiohttp.ClientError) -> OutboundError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _ForbiddenAddress):
            return Blocked("the name leads to an address that may not be called")
        cause = cause.__cause__
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unreachable("the name could not be found")
    if isinstance(error, aiohttp.ClientSSLError):
        return Unreachable("the certificate or the encryption was refused")
    if isinstance(error, aiohttp.ServerTimeoutError):
        return TimedOut("no connection within the deadline")
    return Unreachable("the connection failed")


def _judged(url: str, allowed: Collection[str]) -> tuple[URL, bool]:
    """The parsed URL and whether the allow list names it. What is judged here is the very object that is dialled."""
    parsed = _parsed(url)
    host, port = (parsed.raw_host or "").rstrip(".").lower(), parsed.port
    entries = _entries(tuple(allowed))
    if (host, port) in entries or (host, None) in entries:
        return parsed, True
    if parsed.scheme != "https":
        raise Blocked("only https is allowed")
    if port not in PORTS:
        raise Blocked("only the ports 443 and 8443 are allowed")
    _judge_host(host)
    return parsed, False


def _parsed(url: str) -> URL:
    if len(url) > MAX_URL or _FORBIDDEN_IN_URL.search(url):
        raise Blocked("not a plain URL")
    try:
        parsed = URL(url)
        complete = parsed.raw_host and parsed.port is not None and parsed.scheme in _SCHEMES
    except ValueError as error:
        raise Blocked("not a URL") from error
    if not complete:
        raise Blocked("a URL begins with https:// and a host")
    if _USER_INFO.match(url):
        raise Blocked("a URL must not hold a user name or password")
    if "#" in url:
        raise Blocked("a URL to be called has no #")
    return parsed


def _judge_host(host: str) -> None:
    address = parse_address(host)
    if not _PLAIN_HOST.match(host) or (address is None and "." not in host):
        raise Blocked("a host needs a full, plain name")
    if (address is not None and not is_public(address)) or _LOCAL_NAMES.search(host):
        raise Blocked("this address may not be called")


@lru_cache(maxsize=16)
def _entries(allowed: tuple[str, ...]) -> frozenset[tuple[str, int | None]]:
    found: set[tuple[str, int | None]] = set()
    for entry in allowed:
        host, colon, port = entry.strip().lower().rpartition(":")
        if colon and port.isdecimal() and (host.endswith("]") or ":" not in host):
            found.add((host.strip("[]"), int(port)))
        else:
            found.add((entry.strip().lower().strip("[]"), None))
    return frozenset(found)


class _ForbiddenAddress(OSError):
    pass


def _judging_socket(info: AddrInfo) -> socket.socket:
    """The socket for one address that is about to be dialled. Raises when the address is not public."""
    family, kind, protocol, _, where = info
    address = parse_address(str(where[0]))
    if not _may_dial_anything.get() and (address is None or not is_public(address)):
        raise _ForbiddenAddress("address may not be called")
    return socket.socket(family=family, type=kind, proto=protocol)
