"""Every place in which a running product keeps something, as bytes to search in."""

import contextlib
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis

from tests import services
from tests.product import Caller, Product

LINK = re.compile(r'href="(/admin/[^"?#]*)[?#"]')
NO_PAGE = ("/admin/logout/", "/admin/jsi18n/", "/admin/password_change/")
Places = dict[str, bytes]


def databases(product: Product) -> Places:
    """The file and its write-ahead log on SQLite, a plain dump on Postgres; the vault's too where it has its own."""
    found: Places = {}
    for url in sorted({product.database_url, product.vault_url}):
        if url.startswith("sqlite:"):
            file = Path(url.removeprefix("sqlite:///"))
            found |= {path.name: path.read_bytes() for path in file.parent.glob(f"{file.name}*")}
        else:
            dump = services.program("pg_dump", "postgresql-client", "This test needs pg_dump beside Postgres.")
            done = subprocess.run([dump, "--no-password", "--dbname", url], capture_output=True, check=True)
            found[f"dump of {urlsplit(url).path[1:]}"] = done.stdout
    return found


def sessions(product: Product) -> Places:
    """What each session holds: the search unpacks what Django codes and compresses."""
    rows = product.rows("SELECT session_key, session_data FROM django_session")
    return {f"session {key[:6]}": data.encode() for key, data in rows}


def broker(product: Product) -> Places:
    """Every key of every database of the broker, by value and as it is stored."""
    found = {}
    number = 0
    client = redis.Redis.from_url(product.broker_url)
    with contextlib.closing(client):
        keyspace: Any = client.info("keyspace")
    for number in sorted(int(name.removeprefix("db")) for name in keyspace) or [0]:
        one: Any = redis.Redis.from_url(f"{product.broker_url.rpartition('/')[0]}/{number}")
        with contextlib.closing(one):
            for key in one.scan_iter(count=1000):
                value = repr_of(one, key)
                found[f"broker {number} {key!r}"] = b"\n".join([key, value, one.dump(key) or b""])
    return found


def repr_of(client: Any, key: bytes) -> bytes:
    """The value of a key of any type; a dump alone may be compressed in a way that nothing here unpacks."""
    match client.type(key):
        case b"string":
            return client.get(key) or b""
        case b"list":
            return b"\n".join(client.lrange(key, 0, -1))
        case b"hash":
            return b"\n".join(part for pair in client.hgetall(key).items() for part in pair)
        case b"set":
            return b"\n".join(client.smembers(key))
        case b"zset":
            return b"\n".join(client.zrange(key, 0, -1))
        case b"stream":
            return repr(client.xrange(key)).encode()
        case b"none":  # it ended meanwhile
            return b""
        case other:
            raise AssertionError(f"no way to read a {other!r}")


def files(product: Product) -> Places:
    """Everything that the product wrote to the disk: logs, temporary files, exports, mail, schedule, static files."""
    own = {Path(url.removeprefix("sqlite:///")).name for url in (product.database_url, product.vault_url)}
    found = {}
    for path in sorted(product.folder.rglob("*")):
        if path.is_file() and not any(path.name.startswith(name) for name in own):
            with contextlib.suppress(FileNotFoundError):  # a temporary file may go while we look
                found[str(path.relative_to(product.folder))] = path.read_bytes()
    return found


def admin_pages(staff: Caller) -> Places:
    """Every page of the Django admin that links lead to: all lists, all rows, all histories."""
    found: Places = {}
    waiting = ["/admin/"]
    while waiting:
        path = waiting.pop()
        if path in found or path.startswith(NO_PAGE):
            continue
        answer = staff.get(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        found[path] = answer.everything().encode()
        waiting += LINK.findall(answer.text)
    return found
