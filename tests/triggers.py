"""The append-only triggers and the tests: a flush passes them, and a test may take them away to play the attacker.

A pytest plugin of its own (imported in conftest.py). Django empties SQLite after a transactional test by DELETE, which
the triggers rightly refuse; Postgres truncates, which they do not see.
"""

import contextlib
from collections.abc import Iterator

import pytest
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.sqlite3.operations import DatabaseOperations

from leadscenter.lib import append_only


@pytest.fixture(scope="session", autouse=True)
def flush_passes_the_triggers() -> Iterator[None]:
    """Empty SQLite's append-only tables too; the triggers stand again before the next test."""
    flush = DatabaseOperations.execute_sql_flush

    def past_triggers(operations: DatabaseOperations, statements: list[str]) -> None:
        with transaction.atomic(using=operations.connection.alias), operations.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _sql in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            flush(operations, statements)
            for _name, sql in triggers:
                cursor.execute(sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", past_triggers)
        yield


@contextlib.contextmanager
def unprotected(*tables: str, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Take the append-only triggers of these tables away, as somebody who owns the database can; then put them back."""
    for table in tables:
        append_only.release(connections[using], table)
    try:
        yield
    finally:
        for table in tables:
            append_only.protect(connections[using], table)
