"""What every test stands on: keys of its own, every database; and a closing section that says what was exercised."""

import json
import os
import platform
import secrets
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db import connections
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.http import HttpRequest

from accounts.models import User
from leads.vault import ingest, keys
from leadscenter.lib import ids
from tests.triggers import flush_passes_the_triggers

EXERCISED: Counter[str] = Counter()
"""Area of the tests (first folder under tests/) -> how many passed in this run."""
COUNTED: Counter[str] = Counter()
"""What tests count by `record_property`, added up over the run."""

DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
OWN_TRANSACTIONS = {"transactional_db", "live_server"}

__all__ = ["flush_passes_the_triggers"]


def pytest_configure(config: pytest.Config) -> None:
    (Path(settings.VAR_DIR) / "test").mkdir(parents=True, exist_ok=True)


LONG = ("test_kill", "test_matrix", "test_transfer_under_load", "test_pages", "test_sign_in", "test_canary")
"""Files that take long, the longest first: begun last, one of them would keep one of two processors waiting."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Every test that uses a database may use all: the vault lives in a second one in one of the runs.

    Long files come first; everything else stays as it was shuffled.
    """
    for item in items:
        allow_every_database(item)
    yield
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


def allow_every_database(item: pytest.Item) -> None:
    marker = item.get_closest_marker("django_db")
    fixtures = set(getattr(item, "fixturenames", ()))
    if marker is None and not fixtures & DATABASE_FIXTURES:
        return
    options = dict(marker.kwargs) if marker else {}
    if not options.get("transaction") and fixtures & OWN_TRANSACTIONS:
        options["transaction"] = True
    options.setdefault("databases", "__all__")
    item.add_marker(pytest.mark.django_db(*(marker.args if marker else ()), **options), append=False)


@pytest.fixture(scope="session", autouse=True)
def leads_key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key file that no other run shares, so that a test can never open, or lose, a real one."""
    path: Path = tmp_path_factory.mktemp("keys") / "leads.json"
    key = b64encode(secrets.token_bytes(32)).decode()
    made = datetime.now(UTC).isoformat(timespec="seconds")
    path.write_text(json.dumps({"wrapping": [{"id": secrets.token_hex(4), "key": key, "made": made}]}))
    path.chmod(0o600)
    settings.LEADS_KEY_FILE = str(path)
    # Argon2 is slow on purpose; no test but those of the hasher itself needs that.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    return path


@pytest.fixture(scope="session", autouse=True)
def signing_in_is_a_fresh_proof() -> Iterator[None]:
    """`Client.force_login` proves nobody; count it as a password typed just now, as the sign-in page does."""

    def proved(request: HttpRequest, user: User, **kwargs: Any) -> None:
        if not get_authentication_records(request, user):
            record_authentication(request, user, "password", email=user.email)

    user_logged_in.connect(proved, dispatch_uid="tests")
    yield
    user_logged_in.disconnect(dispatch_uid="tests")


@pytest.fixture(autouse=True)
def nothing_kept_in_memory() -> None:
    """Forget the keys that this process keeps, and ids of a day that a test travelled to: its rows are gone."""
    ids._sequence.start_afresh()
    keys.forget_keys()
    ingest.forget_ingest_keys()


@pytest.fixture(scope="session", autouse=True)
def flush_append_only_tables() -> Iterator[None]:
    """Empty the append-only tables of SQLite after a test: its flush is a DELETE, which their triggers refuse."""
    flush = DatabaseWrapper.ops_class.execute_sql_flush

    def past_triggers(operations: BaseDatabaseOperations, statements: list[str]) -> None:
        with operations.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_delete'")
            triggers = cursor.fetchall()
            for name, _sql in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            try:
                flush(operations, statements)
            finally:
                for _name, sql in triggers:
                    cursor.execute(sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseWrapper.ops_class, "execute_sql_flush", past_triggers)
        yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        parts = report.nodeid.split("/")
        EXERCISED[parts[1] if len(parts) > 2 else "house"] += 1
        for name, number in report.user_properties:
            COUNTED[name] += int(str(number))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this run stood on and which areas it exercised; pytest's own line stays the last."""
    places = ", ".join(f"{alias} on {connections[alias].vendor}" for alias in connections)
    regions = ", ".join(f"{region} in {alias}" for region, alias in settings.VAULT_ALIASES.items())
    broker = "Redis protocol" if settings.REDIS_URL else "files and database"
    terminalreporter.section("what was exercised")
    terminalreporter.write_line(f"Python {platform.python_version()}; databases: {places}; regions: {regions}")
    terminalreporter.write_line(f"broker and cache: {broker}")
    terminalreporter.write_line("tests: " + ", ".join(f"{area} {count}" for area, count in sorted(EXERCISED.items())))
    for name, number in sorted(COUNTED.items()):
        terminalreporter.write_line(f"{name}: {number:,}")
    if failed := os.environ.get("FAILED_LEGS"):
        terminalreporter.write_line(f"FAILED before this run: {failed}", red=True)
