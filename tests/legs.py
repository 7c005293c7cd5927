"""The legs of `make test`, one after the other; the last is the suite on Postgres and Redis.

Any leg's failure is the exit status, and the last line printed is pytest's own. LEGS=name,name runs some of them
only; arguments go to pytest.
"""

import base64
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from leadscenter.embedded_broker import start_broker
from leadscenter.processes import stop
from tests import services

BASE = Path(__file__).resolve().parent.parent
VARIABLES = [
    "SECRET_KEY",
    "DEBUG",
    "ALLOWED_HOSTS",
    "PUBLIC_URL",
    "DATABASE_URL",
    "VAULT_DATABASE_URLS",
    "REDIS_URL",
    "LEADS_KEY_FILE",
    "EMAIL_URL",
    "SENTRY_DSN",
    "OUTBOUND_ALLOWED_HOSTS",
    "TRUSTED_PROXIES",
    "COUNTRY_HEADER",
    "STATEMENT_TIMEOUT_MS",
    "STATE_FOLDER",
    "DEMO",
]
WITHOUT_DATABASE = ("tests/lib", "tests/architecture", "tests/docs")
"""Tests that touch neither database nor broker: once, in the first suite, is enough."""
LOOKS = ("day", "editor", "pages", "sign_in", "transfer")
"""Browser tests that look at pages, which are drawn the same on every database: once too. The path of a lead and the
public form are walked in every suite."""
DESK = ("board", "desk_keys", "drawer", "list")
"""Browser tests of the desk: once on each kind of database. Where the vault lies is nothing that a browser sees; what
these pages ask is tested without one in every suite.
"""
ONCE = (*WITHOUT_DATABASE, *(f"tests/browser/test_{name}.py" for name in LOOKS))
ON_EACH_KIND = tuple(f"tests/browser/test_{name}.py" for name in DESK)
# A file stays together: it starts a product once. Files keep the order of tests/conftest.py, the long ones first.
PYTEST = ["-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-q"]

Settings = dict[str, str]


def clean_environment(**values: str) -> Settings:
    """The process environment with exactly these of our variables; empty ones keep a developer's .env out."""
    return {**os.environ, **dict.fromkeys(VARIABLES, ""), **values}


def development(**values: str) -> Settings:
    return clean_environment(DEBUG="true", SECRET_KEY="tests-" + "k" * 60, **values)


def run(*command: str, environment: Settings | None = None) -> bool:
    return subprocess.run(command, cwd=BASE, env=environment or development()).returncode == 0


def python(*arguments: str, environment: Settings | None = None) -> bool:
    return run(sys.executable, *arguments, environment=environment)


def tool(name: str, *arguments: str) -> bool:
    return run(str(Path(sys.executable).with_name(name)), *arguments)


def style() -> bool:
    return all([tool("ruff", "check", "-q", "."), tool("ruff", "format", "-q", "--check", ".")])


def types() -> bool:
    return python("-m", "mypy", "--no-error-summary", ".")


def templates() -> bool:
    found = sorted(str(path.relative_to(BASE)) for path in (BASE / "templates").rglob("*.html"))
    return tool("djade", "--check", "--target-version", "5.2", *found)


def contracts() -> bool:
    return tool("lint-imports", "--no-logo")


def migrations() -> bool:
    return python("manage.py", "makemigrations", "--check", "--dry-run", "-v", "0")


def deployment() -> bool:
    """Django's deployment checks with production settings, at zero warnings."""
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "leads.json"
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        key_file.write_text(json.dumps({"wrapping": [{"id": "test", "key": key, "made": "2026-01-01T00:00:00+00:00"}]}))
        key_file.chmod(0o600)
        production = clean_environment(
            SECRET_KEY=secrets.token_urlsafe(60),
            ALLOWED_HOSTS="leads.example.com",
            PUBLIC_URL="https://leads.example.com",
            LEADS_KEY_FILE=str(key_file),
            EMAIL_URL="smtp+tls://user:password@mail.example.com:587",
        )
        return python("manage.py", "check", "--deploy", "--fail-level", "WARNING", environment=production)


@contextlib.contextmanager
def embedded_broker() -> Iterator[str]:
    """URL of the broker that `make run` uses too; empty (files) where there is no binary."""
    broker = start_broker(BASE / "var" / "test" / "broker")
    try:
        yield broker.url if broker else ""
    finally:
        if broker:
            stop([broker.process])


def suite(*arguments: str, failed: list[str], **values: str) -> bool:
    environment = development(CHROMIUM=services.chromium(), FAILED_LEGS=", ".join(failed), **values)
    return python(*PYTEST, *arguments, environment=environment)


def but(done: tuple[str, ...], arguments: tuple[str, ...]) -> list[str]:
    """The arguments for a suite without what is done in others; what somebody asked for by name stays."""
    return list(arguments) if arguments else [f"--ignore={folder}" for folder in done]


def on_sqlite(*arguments: str, failed: list[str]) -> bool:
    with embedded_broker() as url:
        return suite(*arguments, failed=failed, REDIS_URL=url)


def on_two_databases(*arguments: str, failed: list[str]) -> bool:
    with embedded_broker() as url:
        vault = "sqlite:///var/test/vault-main.sqlite3"
        regions = ",".join(f"{region}={vault}" for region in ("eu", "us", "row"))
        asked = but((*ONCE, *ON_EACH_KIND), arguments)
        return suite(*asked, failed=failed, REDIS_URL=url, VAULT_DATABASE_URLS=regions)


def on_postgres(*arguments: str, failed: list[str]) -> bool:
    with services.postgres() as database, services.redis_server() as broker:
        asked = but(ONCE, arguments)
        return suite(*asked, failed=failed, DATABASE_URL=f"{database}/holdfast_{os.getpid()}", REDIS_URL=broker)


CHECKS: dict[str, Callable[[], bool]] = {
    "style": style,
    "types": types,
    "templates": templates,
    "contracts": contracts,
    "migrations": migrations,
    "deployment": deployment,
}
SUITES: dict[str, Callable[..., bool]] = {
    "sqlite": on_sqlite,
    "two-databases": on_two_databases,
    "postgres": on_postgres,
}


def timed(name: str, leg: Callable[[], bool], failed: list[str]) -> None:
    services.say(f"--- {name}")
    started = time.monotonic()
    try:
        passed = leg()
    except services.Missing as missing:
        services.say(str(missing))
        passed = False
    if not passed:
        failed.append(name)
    sys.stdout.flush()
    if name != "postgres":
        services.say(f"--- {name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.0f} s")


def main() -> int:
    chosen = [name.strip() for name in os.environ.get("LEGS", "").split(",") if name.strip()]
    unknown = set(chosen) - CHECKS.keys() - SUITES.keys()
    if unknown:
        services.say(f"LEGS knows {', '.join([*CHECKS, *SUITES])}; not {', '.join(sorted(unknown))}")
        return 2
    failed: list[str] = []
    for name, check in CHECKS.items():
        if not chosen or name in chosen:
            timed(name, check, failed)
    for name, leg in SUITES.items():
        if not chosen or name in chosen:
            timed(name, partial(leg, *sys.argv[1:], failed=failed), failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
