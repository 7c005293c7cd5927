"""Postgres, Redis, Chromium and LibreOffice for tests: those that are there, else private ones, else a clear refusal;
never a silent skip.

TEST_DATABASE_URL and TEST_REDIS_URL name servers; without them the standard local ports are tried. A private server
is made from installed binaries, which as root are installed from Debian's packages where they are missing.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import redis

from leadscenter.embedded_broker import free_port
from leadscenter.processes import start, stop

LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432"
LOCAL_REDIS = "redis://127.0.0.1:6379"
PATIENCE_SECONDS = 30


class Missing(Exception):
    """A service can neither be found nor started; the text says what to do."""


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def install(package: str, what_else: str, *options: str) -> None:
    """Install a Debian package as root, with `options` of apt-get.

    Raises `Missing` with what to do instead where that is not possible.
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing(what_else)
    say(f"installing the Debian package {package}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *options, package]):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode:
            raise Missing(f"`{' '.join(command)}` failed. {what_else}")


def program(name: str, package: str, what_else: str, *places: str) -> str:
    """The path of a program, installed if need be."""
    for _ in range(2):
        for folder in (*places, None):
            if found := shutil.which(name, path=folder):
                return found
        places = (*places, *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
        if found := shutil.which(name, path=os.pathsep.join(places)):
            return found
        install(package, what_else)
    raise Missing(what_else)


def chromium() -> str:
    """The path of Chromium or Chrome, installed if need be."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    return program("chromium", "chromium", "Browser tests need Chromium: install it, or name it with CHROMIUM=/path.")


def libreoffice() -> str:
    """The path of LibreOffice, installed if need be: the spreadsheet alone, without a window (60 MB to fetch)."""
    what_else = (
        "The test of a day's work reads its workbook with LibreOffice: install it (Debian: apt-get install "
        "libreoffice-calc), or name its soffice with LIBREOFFICE=/path."
    )
    for _ in range(2):
        for name in (os.environ.get("LIBREOFFICE", ""), "soffice", "libreoffice", "localc"):
            if name and (found := shutil.which(name)):
                return found
        install("libreoffice-calc-nogui", what_else, "--no-install-recommends")
    raise Missing(what_else)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """URL of a Postgres server, without a database name, whose user may make databases."""
    named = os.environ.get("TEST_DATABASE_URL", "").rpartition("/")[0]
    url = named or LOCAL_POSTGRES
    try:
        psycopg.connect(f"{url}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        if named:
            raise Missing("TEST_DATABASE_URL does not answer; it needs a user that may make databases") from None
    else:
        yield url
        return
    with private_postgres() as private:
        yield private


@contextlib.contextmanager
def private_postgres() -> Iterator[str]:
    """A Postgres server of our own on a loopback port, gone afterwards."""
    help_text = "Tests need Postgres: install it (Debian: apt-get install postgresql) or set TEST_DATABASE_URL."
    initdb = program("initdb", "postgresql", help_text)
    server = Path(initdb).resolve().with_name("postgres")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="holdfast-postgres-") as folder:
        data = Path(folder) / "data"
        prefix: list[str] = []
        if os.geteuid() == 0:  # Postgres refuses to run as root
            accounts = {entry.pw_name for entry in pwd.getpwall()}
            user = "postgres" if "postgres" in accounts else "nobody"
            shutil.chown(folder, user)
            prefix = ["setpriv", f"--reuid={user}", "--clear-groups"]
        make = [*prefix, initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
        done = subprocess.run(make, stdout=subprocess.DEVNULL, cwd=folder)
        if done.returncode:
            raise Missing(f"initdb failed. {help_text}")
        options = ["-p", str(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off", "-c", "max_connections=200"]
        process = start([*prefix, str(server), "-D", str(data), *options, "-c", "log_min_messages=fatal"])
        url = f"postgres://postgres@127.0.0.1:{port}"
        try:
            wait_for_postgres(url)
            yield url
        finally:
            stop([process])


def wait_for_postgres(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """URL of an empty Redis database that a test run may flush."""
    named = os.environ.get("TEST_REDIS_URL", "")
    if named:
        if not answers(named):
            raise Missing("TEST_REDIS_URL does not answer")
        yield named
        return
    for number in range(15, 0, -1):  # never one that somebody uses
        if is_empty(f"{LOCAL_REDIS}/{number}"):
            yield f"{LOCAL_REDIS}/{number}"
            return
    with private_redis() as private:
        yield private


@contextlib.contextmanager
def private_redis() -> Iterator[str]:
    """A Redis server of our own on a loopback port, gone afterwards."""
    help_text = "Tests need Redis: install it (Debian: apt-get install redis-server) or set TEST_REDIS_URL."
    server = program("redis-server", "redis-server", help_text)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="holdfast-redis-") as folder:
        options = [
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            folder,
            "--save",
            "",
            "--loglevel",
            "warning",
            "--logfile",
            f"{folder}/redis.log",
        ]
        process = start([server, *options])
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not answers(f"redis://127.0.0.1:{port}/0"):
                if time.monotonic() > deadline:
                    raise Missing(f"redis-server does not answer. {help_text}")
                time.sleep(0.1)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            stop([process])


def answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    try:
        client.ping()
    except redis.RedisError:
        return False
    finally:
        client.close()
    return True


def is_empty(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    try:
        return client.dbsize() == 0
    except redis.RedisError:
        return False
    finally:
        client.close()
