"""The running product for tests: web server, worker and scheduler on a database and a broker of their own.

The database is of the kind that the leg runs on: a SQLite file, or a new database on the leg's Postgres. Everything
that the product writes stands under one folder, so that a test can search all of it.
"""

import contextlib
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from leads.vault import keyring
from leadscenter.embedded_broker import free_port, start_broker
from leadscenter.processes import start, stop
from leadscenter.supervisor import WEB, WORKER, tool
from tests import services
from tests.legs import BASE, development

PATIENCE_SECONDS = 60
CSRF = re.compile(r'csrf(?:middlewaretoken" value="|token": ?"|token&quot;: ?&quot;)(\w+)', re.IGNORECASE)


@dataclass
class Answer:
    """One HTTP answer as it came; its headers are found in any case."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)

    def everything(self) -> str:
        """Body and headers as one text, to search in."""
        return "\n".join([*(f"{name}: {value}" for name, value in self.headers.items()), self.text])


@dataclass
class Product:
    """A running product. `demo` is what `seed_demo --json` printed; `folder` holds all that it writes to disk."""

    environment: dict[str, str]
    folder: Path
    port: int
    demo: dict[str, Any]
    database_url: str
    vault_url: str
    broker_url: str
    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def manage(self, *arguments: str, status: int = 0) -> str:
        """Run a management command of it; return what it printed on both streams."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def rows(self, statement: str, *values: Any, vault: bool = False) -> list[tuple[Any, ...]]:
        """Read from its database beside the application, `?` for each value."""
        url = self.vault_url if vault else self.database_url
        if url.startswith("sqlite:"):
            with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
                found = connection.execute(statement, values).fetchall()
                connection.commit()
                return found
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.replace("?", "%s"), values or None)
            return cursor.fetchall() if cursor.description else []

    def counts(self) -> dict[str, int]:
        """How many rows each table of both databases holds."""
        found = {}
        for vault in (False, True) if self.vault_url != self.database_url else (False,):
            tables = [table for (table,) in self.rows(self._list_tables(), vault=vault)]
            parts = [f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables]  # noqa: S608  # our own names
            for table, count in self.rows(" UNION ALL ".join(parts), vault=vault):
                found[f"{'vault: ' if vault else ''}{table}"] = count
        return found

    def _list_tables(self) -> str:
        if self.database_url.startswith("sqlite:"):
            return "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
        return "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"

    def caller(self, actor: str) -> "Caller":
        """Somebody of the demo with their API token."""
        return Caller(self, token=self.demo["actors"][actor]["token"])

    def visitor(self) -> "Caller":
        """Nobody in particular: no token, no session."""
        return Caller(self)

    def signed_in(self, actor: str) -> "Caller":
        """Somebody of the demo with a browser session."""
        who = self.demo["actors"][actor]
        caller = Caller(self)
        answer = caller.submit("/login/", {"login": who["email"], "password": who["password"]})
        assert answer.status == 302, answer.text[:500]
        return caller


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_of: Any) -> None:
        return None


class Caller:
    """An HTTP client that keeps its cookies, follows no redirect and goes through no proxy."""

    def __init__(self, product: Product, *, token: str = "") -> None:
        self.product = product
        self.cookies = CookieJar()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), NoRedirect())
        self.opener = urllib.request.build_opener(*handlers)

    def call(
        self, method: str, path: str, *, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request; any status is an answer."""
        address = path if path.startswith("http") else f"{self.product.url}{path}"
        request = urllib.request.Request(address, data, {**self.headers, **(headers or {})}, method=method)  # noqa: S310
        try:
            answer = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, answer.headers, answer.read())

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a JSON body."""
        data = None if body is None else json.dumps(body).encode()
        return self.call(method, path, data=data, headers={"Content-Type": "application/json"})

    def api(self, method: str, path: str, body: Any = None) -> Answer:
        """Call `/api/v1/…` with a JSON body."""
        return self.send(method, f"/api/v1/{path}", body)

    def submit(self, path: str, fields: dict[str, Any], *, page: str = "") -> Answer:
        """Post a form as a browser does: with the token of the page that shows it."""
        token = CSRF.search(self.page(page or path))
        assert token, f"{page or path} shows no form"
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token[1]}, doseq=True).encode()
        return self.call("POST", path, data=data, headers={"Referer": self.product.url})

    def page(self, path: str) -> str:
        """Read a page that must be there."""
        answer = self.get(path)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text[:500]}"
        return answer.text


@contextlib.contextmanager
def running(
    *, worker: bool = False, debug: bool = True, leads: int = 0, allowed_hosts: str = "127.0.0.1"
) -> Iterator[Product]:
    """Start the product and stop it; with `worker` also the worker and the scheduler."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-product-")))
        database, vault = stack.enter_context(databases(folder))
        broker = stack.enter_context(own_broker(folder))
        port = free_port()
        (folder / "temporary").mkdir()
        keyring.write_key_file(folder / "keys" / "leads.json", [keyring.fresh_wrapping_key(os.urandom(32))])
        environment = development(
            DATABASE_URL=database,
            VAULT_DATABASE_URLS=",".join(f"{region}={vault}" for region in ("eu", "us", "row"))
            if vault != database
            else "",
            REDIS_URL=broker,
            LEADS_KEY_FILE=str(folder / "keys" / "leads.json"),
            PUBLIC_URL=f"http://localhost:{port}",
            ALLOWED_HOSTS="localhost,127.0.0.1",
            EMAIL_URL=f"filemail:///{folder / 'mail'}",
            OUTBOUND_ALLOWED_HOSTS=allowed_hosts,
            TMPDIR=str(folder / "temporary"),
            HOLDFAST_VAR=str(folder / "var"),
            DJANGO_SETTINGS_MODULE="tests.product_settings",
            PYTHONWARNINGS="ignore:You're running the worker with superuser privileges",
        )
        product = Product(environment, folder, port, {}, database, vault, broker)
        for alias in ("default", *(["vault_eu"] if vault != database else [])):
            product.manage("migrate", "--database", alias, "-v", "0")
        product.manage("createcachetable", "-v", "0")
        told = product.manage("seed_demo", "--leads", str(leads), "--json")
        product.demo = json.loads(told[told.index("{") :])
        if not debug:
            product.environment["DEBUG"] = "false"
            product.manage("collectstatic", "--noinput", "-v", "0")
        stack.callback(lambda: stop(list(product.children.values())))
        begin(product, worker=worker)
        yield product


def begin(product: Product, *, worker: bool) -> None:
    """Start what is asked for and wait until the web server answers."""
    celery = [tool("celery"), "-A", "leadscenter.celery", "--quiet"]
    commands: dict[str, Sequence[str]] = {
        "web": [tool("granian"), *WEB.split(), "--port", str(product.port), "leadscenter.wsgi:application"]
    }
    if worker:
        commands["worker"] = [*celery, "worker", *WORKER.split()]
        schedule = str(product.folder / "beat")
        commands["scheduler"] = [*celery, "beat", "--loglevel", "warning", "--pidfile", "", "--schedule", schedule]
    logs = product.folder / "logs"
    logs.mkdir(exist_ok=True)
    for name, command in commands.items():
        with (logs / f"{name}.log").open("ab") as log:
            product.children[name] = start(command, environment=product.environment, output=log)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(product):
        assert time.monotonic() < deadline, (logs / "web.log").read_text()[-3000:]
        time.sleep(0.1)


def answers(product: Product) -> bool:
    try:
        return product.visitor().get("/healthz/ready").status == 200
    except OSError:
        return False


def until(true: Any, *, seconds: float = 30, what: str = "") -> Any:
    """Wait until `true()` is, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, what or "it did not happen in time"
        time.sleep(0.1)
    return found


@contextlib.contextmanager
def databases(folder: Path) -> Iterator[tuple[str, str]]:
    """URLs of a main and a vault database of the leg's kind; the same one where the leg has one."""
    two = len(set(settings.VAULT_ALIASES.values()) | {"default"}) > 1
    if not settings.ON_POSTGRES:
        main = f"sqlite:///{folder / 'main.sqlite3'}"
        yield main, f"sqlite:///{folder / 'vault.sqlite3'}" if two else main
        return
    config = settings.DATABASES["default"]
    user = urllib.parse.quote(config["USER"])
    password = f":{urllib.parse.quote(config['PASSWORD'])}" if config["PASSWORD"] else ""
    server = f"postgres://{user}{password}@{config['HOST']}:{config['PORT'] or 5432}"
    names = [f"holdfast_product_{secrets.token_hex(4)}" for _ in range(2 if two else 1)]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        for name in names:
            admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield f"{server}/{names[0]}", f"{server}/{names[-1]}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            for name in names:
                admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def own_broker(folder: Path) -> Iterator[str]:
    """URL of a broker that nobody else uses."""
    broker = start_broker(folder / "broker")
    if broker is None:
        with services.private_redis() as url:
            yield url
        return
    try:
        yield broker.url
    finally:
        stop([broker.process])
