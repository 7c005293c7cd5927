"""Moments as the database writes them: for files, where making a `datetime` only to write it again costs too much."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Func, TextField

DAY, SECONDS = len("2026-01-31"), len("2026-01-31 12:00:00")


class MomentText(Func):
    """A column with times, in UTC: `2026-01-31 12:00:00` and perhaps a fraction behind; None stays None."""

    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Return SQL that does not follow the session's time zone and style of dates."""
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Return SQL for the text that Django stores."""
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS text)", **context)


def moment_of(text: str) -> datetime:
    """Return the moment of such a text."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
