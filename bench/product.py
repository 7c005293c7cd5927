"""A product of our own to measure: a fresh Postgres database with the demo's forms, behind the web server."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from leadscenter.embedded_broker import free_port
from leadscenter.processes import start, stop
from leadscenter.supervisor import WEB, tool
from tests.services import postgres

BASE = Path(__file__).resolve().parent.parent
DATABASE = f"holdfast_bench_{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Product:
    """Where it runs. `environment` starts commands of it; `demo` is what `seed_demo --json` printed."""

    environment: dict[str, str]
    database_url: str
    demo: dict[str, Any]


@contextlib.contextmanager
def product(name: str = "") -> Iterator[Product]:
    """Make the database and its demo forms without leads; drop it afterwards. `name` tells several of a run apart."""
    database = f"{DATABASE}{name and f'_{name}'}"
    with postgres() as server:
        url = f"{server}/{database}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {database}")
        keys = BASE / "var" / "bench" / f"keys{name and f'_{name}'}.json"
        keys.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DATABASE_URL": url,
            "SECRET_KEY": "bench-" + "k" * 60,
            "DEBUG": "true",
            "PUBLIC_URL": "http://localhost",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "LEADS_KEY_FILE": str(keys),
            "EMAIL_URL": "consolemail://",
            "STATEMENT_TIMEOUT_MS": "60000",  # peers take longer than a page may
        }
        new_keys(keys)
        try:
            manage(environment, "migrate", "--run-syncdb", "-v0")
            told = manage(environment, "seed_demo", "--leads", "0", "--json")
            yield Product({**environment, "DEBUG": "false"}, url, json.loads(told))
        finally:
            with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
                admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def new_keys(path: Path) -> None:
    """Write a key file for this run."""
    entry = {"id": "bench", "key": base64.b64encode(os.urandom(32)).decode(), "made": "2026-01-01T00:00:00+00:00"}
    path.touch(mode=0o600)
    path.write_text(json.dumps({"wrapping": [entry]}))


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a management command and return what it printed."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=BASE, env=environment, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return done.stdout


@contextlib.contextmanager
def web(running: Product) -> Iterator[int]:
    """Serve the product as `make run` and the container do; gives the port."""
    port = free_port()
    command = [tool("granian"), *WEB.split(), "--port", str(port), "leadscenter.wsgi:application"]
    log = (BASE / "var" / "bench" / f"web_{port}.log").open("wb")
    server = start(command, environment=running.environment, output=log)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/live", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield port
    finally:
        stop([server])
