"""Counting what the databases are asked, all of them together: the vault's may be another one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connections
from django.test.utils import CaptureQueriesContext

AROUND = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


@contextmanager
def statements() -> Iterator[list[str]]:
    """A list that afterwards holds every statement, without those that only open and close transactions."""
    found: list[str] = []
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(one)) for one in connections.all()]
        yield found
    found += [query["sql"] for one in captured for query in one if not query["sql"].startswith(AROUND)]
