"""A made-up person who must be found nowhere, and the search that would find them.

Each token is random, so that nothing but the person's data can hold it. A place is searched in every usual coding, and
inside whatever in it can be unpacked: base64, hex and compressed streams, also within one another.
"""

import base64
import gzip
import hashlib
import json
import re
import secrets
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

DEPTH = 4
LARGEST = 1 << 24
COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")


@dataclass(frozen=True)
class Canary:
    """What one person typed; `tokens` are the parts that nobody else has."""

    mark: str
    number: str

    @property
    def name(self) -> str:
        return f"Quendra Zy{self.mark}n"

    @property
    def email(self) -> str:
        return f"Quendra.{self.mark}@Canary-{self.mark}.example"

    @property
    def phone(self) -> str:
        """As a person types it."""
        return f"+49 1511 {self.number}"

    @property
    def text(self) -> str:
        return f"Call me after six, ask for {self.mark}w & say “hello”"

    @property
    def tokens(self) -> dict[str, str]:
        """What to search for. A phone number's last digits alone would collide with other numbers."""
        return {"mark": self.mark, "phone as typed": f"1511 {self.number}", "phone": f"1511{self.number}"}

    @property
    def whole(self) -> set[str]:
        """Values of which a digest without a key is as good as the value, to whoever can guess."""
        return {self.email, self.email.lower(), self.name, self.name.lower(), f"+491511{self.number}"}


def new_canary() -> Canary:
    """A person whom nobody has met; letters alone, so that any splitting into words keeps the mark."""
    letters = "bcdfghjklmnpqrstvwxz"
    mark = "".join(secrets.choice(letters) for _ in range(12))
    return Canary(mark, str(secrets.randbelow(8_000_000) + 1_000_000))


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "clear": lambda value: value,
    "capitals": bytes.upper,
    "base64, first alignment": base64.b64encode,
    "base64, second alignment": lambda value: base64.b64encode(b"." + value),
    "base64, third alignment": lambda value: base64.b64encode(b".." + value),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(b"\xfb\xff\xfe" + value),
    "hex": lambda value: value.hex().encode(),
    "HEX": lambda value: value.hex().upper().encode(),
    "URL-coded": lambda value: quote(value.decode()).encode(),
    "URL-coded to the last letter": lambda value: "".join(f"%{byte:02X}" for byte in value).encode(),
    "UTF-16, little end": lambda value: value.decode().encode("utf-16-le"),
    "UTF-16, big end": lambda value: value.decode().encode("utf-16-be"),
    "JSON": lambda value: json.dumps(value.decode()).encode(),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "gzip in base64": lambda value: base64.b64encode(gzip.compress(value)),
    "zlib in hex": lambda value: zlib.compress(value).hex().encode(),
    "SHA-256": lambda value: hashlib.sha256(value).digest(),
    "SHA-256 in hex": lambda value: hashlib.sha256(value).hexdigest().encode(),
    "SHA-1 in base64": lambda value: base64.b64encode(hashlib.sha1(value).digest()),  # noqa: S324  # not for safety
    "MD5 in hex": lambda value: hashlib.md5(value).hexdigest().encode(),  # noqa: S324
}
"""Ways in which a value can lie somewhere; the search must find each."""


def found_in(place: bytes, canary: Canary) -> list[str]:
    """Return what of the canary stands in these bytes and how deep; empty when nothing does."""
    found = set()
    for depth, view in views(place):
        lower = view.lower()
        for what, needle in needles(canary):
            if needle in lower:
                found.add(f"{what}, unpacked {depth} times" if depth else what)
        for digest in digests(canary):
            if digest in view:
                found.add(f"a digest without a key, unpacked {depth} times")
    return sorted(found)


def needles(canary: Canary) -> Iterator[tuple[str, bytes]]:
    """Yield what to search for in small letters; what base64 and hex hold is found by unpacking."""
    for name, token in canary.tokens.items():
        value = token.encode()
        yield name, value
        yield f"{name}, URL-coded", quote(value).lower().encode()
        yield f"{name}, URL-coded whole", "".join(f"%{byte:02x}" for byte in value).encode()
        yield f"{name}, UTF-16", token.encode("utf-16-le")
        yield f"{name}, UTF-16 big end", token.encode("utf-16-be")


def digests(canary: Canary) -> Iterator[bytes]:
    for whole in canary.whole:
        for kind in ("sha256", "sha1", "md5"):
            yield hashlib.new(kind, whole.encode()).digest()


def views(place: bytes, depth: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield these bytes and everything that can be unpacked from them."""
    yield depth, place
    if depth == DEPTH:
        return
    for inner in unpacked(place, compressed_only=depth > 0):
        yield from views(inner, depth + 1)


def unpacked(place: bytes, *, compressed_only: bool = False) -> Iterator[bytes]:
    """Yield the streams of these bytes: what was compressed one by one, what was coded put together by alignment."""
    for start in COMPRESSED.finditer(place):
        try:
            content = zlib.decompressobj(wbits=47).decompress(place[start.start() :], LARGEST)
        except zlib.error:
            continue
        if len(content) >= 8:
            yield content
    runs = BASE64.findall(place)
    for alignment in range(4):
        decoded = (from_base64(run[alignment:]) for run in runs)
        joined = b"\x00".join(decoded)
        if joined and (not compressed_only or COMPRESSED.search(joined)):
            yield joined
    runs = HEX.findall(place)
    for alignment in range(2):
        joined = b"\x00".join(bytes.fromhex(even(run[alignment:]).decode()) for run in runs)
        if joined:
            yield joined


def from_base64(run: bytes) -> bytes:
    whole = run[: len(run) // 4 * 4]
    rest = run[len(whole) :]
    padded = whole + (rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b"")
    return base64.b64decode(padded, altchars=b"-_") if b"-" in run or b"_" in run else base64.b64decode(padded)


def even(run: bytes) -> bytes:
    return run[: len(run) // 2 * 2]
