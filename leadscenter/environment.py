"""What the environment says, read once and judged as a whole.

`read()` takes the variables of `.env.example` and gives back one frozen `Environment`, or raises `BadEnvironment`
with every problem that it found, so that an operator mends all of them in one go. `read_or_stop()` is what settings
use: it prints the list and leaves with status 2.
"""

import ipaddress
import json
import os
import re
import stat
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from leadscenter.lib.regions import REGIONS

TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}
POSTGRES, SQLITE = "django.db.backends.postgresql", "django.db.backends.sqlite3"
SHORTEST_SECRET = 50
DEVELOPMENT_SECRET = "for development only, this is no secret at all ".ljust(60, "-")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Database = dict[str, Any]


class BadEnvironment(Exception):
    """One or more variables are missing or bad; `problems` says which and what to do, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True, repr=False)
class Environment:
    """Every variable that the installation knows, in the types that settings need. Its repr shows no secret."""

    debug: bool
    secret_key: str
    allowed_hosts: list[str]
    public_url: str
    database: Database
    vault_databases: dict[str, Database]
    redis_url: str
    leads_key_file: Path
    email: dict[str, Any]
    sentry_dsn: str
    outbound_allowed_hosts: frozenset[str]
    trusted_proxies: list[Network]
    country_header: str
    statement_timeout: int
    state_folder: Path
    demo: bool

    def __repr__(self) -> str:
        return f"Environment(debug={self.debug}, public_url={self.public_url!r})"


@dataclass
class Reader:
    """Reads variables and gathers what is wrong with them instead of stopping at the first."""

    values: Mapping[str, str]
    base: Path
    debug: bool = False
    problems: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def needed(self, name: str, meaning: str) -> str:
        """The value; its absence is a problem outside DEBUG."""
        value = self.text(name)
        if not value and not self.debug:
            self.problems.append(f"{name} is missing: {meaning}")
        return value

    def entries(self, name: str) -> list[str]:
        return [entry.strip() for entry in self.text(name).split(",") if entry.strip()]

    def switch(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in TRUE | FALSE:
            self.problems.append(f"{name} is {value!r}: say true or false")
        return value in TRUE

    def secret_key(self) -> str:
        value = self.needed("SECRET_KEY", "a random text of at least 50 characters; `make setup` writes one")
        if value and not self.debug and (len(value) < SHORTEST_SECRET or len(set(value)) < 5):
            self.problems.append(f"SECRET_KEY is too weak: at least {SHORTEST_SECRET} random characters")
        return value or DEVELOPMENT_SECRET

    def allowed_hosts(self) -> list[str]:
        self.needed("ALLOWED_HOSTS", "the host names that this installation answers to, with commas between")
        hosts = self.entries("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
        if "*" in hosts and not self.debug:
            self.problems.append("ALLOWED_HOSTS is '*': name the hosts, a link in a mail is built from them")
        return hosts

    def public_url(self) -> str:
        value = self.needed("PUBLIC_URL", "the address that people use, such as https://leads.example.com")
        value = value.rstrip("/") or "http://localhost:8000"
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
            self.problems.append(f"PUBLIC_URL is {value!r}: give scheme and host, such as https://leads.example.com")
        elif not self.debug and parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1"}:
            self.problems.append("PUBLIC_URL is http: people's data travels here, so only https (or localhost)")
        return value

    def database(self, name: str, url: str) -> Database:
        """Django's settings for a database URL: postgres://user:password@host:port/name or sqlite:///path."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config: Database = environ.Env.db_url_config(url) or {}
        if config.get("ENGINE") not in {POSTGRES, SQLITE} or not config.get("NAME"):
            self.problems.append(
                f"{name} is no database URL: postgres://user:password@host:5432/name or sqlite:///path"
            )
            return {"ENGINE": SQLITE, "NAME": ":memory:"}
        if config["ENGINE"] == SQLITE and config["NAME"] != ":memory:":
            config["NAME"] = str(self.base / config["NAME"])
        return config

    def vault_databases(self, main: Database) -> dict[str, Database]:
        """Region -> database for the regions that live outside the main database."""
        found: dict[str, Database] = {}
        for entry in re.split(r",(?=\s*\w+=)", self.text("VAULT_DATABASE_URLS")):
            region, _, url = entry.strip().partition("=")
            if not region:
                continue
            if region not in REGIONS or not url:
                self.problems.append(f"VAULT_DATABASE_URLS has {region!r}: write eu=URL,us=URL,row=URL")
            elif region in found:
                self.problems.append(f"VAULT_DATABASE_URLS names {region} twice")
            else:
                found[region] = self.database(f"VAULT_DATABASE_URLS ({region})", url.strip())
        return {region: database for region, database in found.items() if place(database) != place(main)}

    def redis_url(self) -> str:
        value = self.text("REDIS_URL")
        if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            self.problems.append("REDIS_URL is no Redis URL: redis://:password@host:6379/0")
        return value

    def leads_key_file(self) -> Path:
        value = self.needed("LEADS_KEY_FILE", "the file with the keys of all leads; `make setup` writes one")
        path = self.base / (value or "keys/leads.json")
        if path.exists():
            self.problems += key_file_problems(path)
        elif value and not self.debug:
            self.problems.append(
                f"LEADS_KEY_FILE {path} does not exist: restore it, or `make setup` for a new installation"
            )
        return path

    def email(self) -> dict[str, Any]:
        value = self.needed("EMAIL_URL", "how mail leaves, such as smtp+tls://user:password@host:587")
        try:
            config: dict[str, Any] = environ.Env.email_url_config(value or "filemail://")
        except ImproperlyConfigured:
            self.problems.append("EMAIL_URL is no mail URL: smtp+tls://user:password@host:587, consolemail://")
            return {}
        if value.startswith("filemail:"):
            config["EMAIL_FILE_PATH"] = str(self.base / urlsplit(value).path)
        elif not value:
            config["EMAIL_FILE_PATH"] = str(self.base / "var" / "mail")
        return {name: setting for name, setting in config.items() if setting is not None and name != "OPTIONS"}

    def sentry_dsn(self) -> str:
        value = self.text("SENTRY_DSN")
        if value and not (urlsplit(value).scheme in {"http", "https"} and urlsplit(value).username):
            self.problems.append("SENTRY_DSN is no DSN: https://key@host/project")
        return value

    def outbound_allowed_hosts(self) -> frozenset[str]:
        entries = self.entries("OUTBOUND_ALLOWED_HOSTS")
        for entry in entries:
            if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", entry):
                self.problems.append(
                    f"OUTBOUND_ALLOWED_HOSTS has {entry!r}: write host or host:port, no scheme, no path"
                )
        return frozenset(entry.lower() for entry in entries)

    def trusted_proxies(self) -> list[Network]:
        networks: list[Network] = []
        for entry in self.entries("TRUSTED_PROXIES"):
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                self.problems.append(f"TRUSTED_PROXIES has {entry!r}: write addresses or networks, such as 10.0.0.0/8")
        return networks

    def country_header(self) -> str:
        """The header's name as it stands in META, "" for none; without trusted proxies nobody could be believed."""
        value = self.text("COUNTRY_HEADER")
        if value and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", value):
            self.problems.append(f"COUNTRY_HEADER is {value!r}: the name of a header, such as CF-IPCountry")
        elif value and not self.entries("TRUSTED_PROXIES"):
            self.problems.append("COUNTRY_HEADER is believed from a trusted proxy only: name it in TRUSTED_PROXIES")
        return f"HTTP_{value.upper().replace('-', '_')}" if value else ""

    def milliseconds(self, name: str) -> int:
        value = self.text(name) or "0"
        if not value.isdecimal():
            self.problems.append(f"{name} is {value!r}: a number of milliseconds, 0 for no limit")
            return 0
        return int(value)


def place(database: Database) -> tuple[Any, ...]:
    """Where a database is, so that two URLs for the same one are recognised."""
    port = database.get("PORT") or (5432 if database["ENGINE"] == POSTGRES else "")
    return database["ENGINE"], database.get("HOST", ""), port, database["NAME"]


def key_file_problems(path: Path) -> list[str]:
    """What is wrong with a key file: `{"wrapping": [{"id", "key", "made"}]}`, mode 0600. Never quotes its content."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return [f"LEADS_KEY_FILE {path} can be read by others: chmod 600 it"]
    try:
        wrapping = json.loads(path.read_text())["wrapping"]
        complete = bool(wrapping) and all({"id", "key", "made"} <= set(entry) for entry in wrapping)
    except (OSError, ValueError, KeyError, TypeError):
        complete = False
    return [] if complete else [f'LEADS_KEY_FILE {path} is no key file: {{"wrapping": [{{"id", "key", "made"}}]}}']


def read(values: Mapping[str, str], base: Path) -> Environment:
    """The environment as settings need it; raises `BadEnvironment` with all problems. Paths count from `base`."""
    reader = Reader(values, base)
    reader.debug = reader.switch("DEBUG")
    main = reader.database("DATABASE_URL", reader.text("DATABASE_URL") or "sqlite:///var/db/main.sqlite3")
    environment = Environment(
        debug=reader.debug,
        secret_key=reader.secret_key(),
        allowed_hosts=reader.allowed_hosts(),
        public_url=reader.public_url(),
        database=main,
        vault_databases=reader.vault_databases(main),
        redis_url=reader.redis_url(),
        leads_key_file=reader.leads_key_file(),
        email=reader.email(),
        sentry_dsn=reader.sentry_dsn(),
        outbound_allowed_hosts=reader.outbound_allowed_hosts(),
        trusted_proxies=reader.trusted_proxies(),
        country_header=reader.country_header(),
        statement_timeout=reader.milliseconds("STATEMENT_TIMEOUT_MS"),
        state_folder=base / (reader.text("STATE_FOLDER") or "var"),
        demo=reader.debug and (not reader.text("DEMO") or reader.switch("DEMO")),
    )
    if reader.problems:
        raise BadEnvironment(reader.problems)
    return environment


def read_or_stop(base: Path) -> Environment:
    """Read `.env` under the process environment (which wins); on problems print them and leave with status 2."""
    environ.Env.read_env(base / ".env")
    try:
        environment = read(os.environ, base)
    except BadEnvironment as bad:
        lines = ["The environment does not allow a start:", *(f"  - {problem}" for problem in bad.problems)]
        sys.stderr.write("\n".join([*lines, "Every variable is explained in .env.example.", ""]))
        raise SystemExit(2) from None
    for database in (environment.database, *environment.vault_databases.values()):
        if database["ENGINE"] == SQLITE and database["NAME"] != ":memory:":
            Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)  # SQLite makes files, not folders
    return environment
