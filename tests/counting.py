"""Counting what the databases are asked, all of them together: the vault's may be another one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connections
from django.test.utils import CaptureQueriesContext

# An entry of the trail is one statement on Postgres and three on SQLite: its targets and its place in the queue to be
# sealed are counted with it.
WITH_THE_ENTRY = ('INSERT INTO "accounts_audittarget"', 'INSERT INTO "accounts_unsealedevent"')
AROUND = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


@contextmanager
def statements() -> Iterator[list[str]]:
    """A list that afterwards holds every statement, without those that only open and close transactions; an entry of
    the trail is one.
    """
    found: list[str] = []
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(one)) for one in connections.all()]
        yield found
    found += [query["sql"] for one in captured for query in one if not query["sql"].startswith(AROUND + WITH_THE_ENTRY)]
