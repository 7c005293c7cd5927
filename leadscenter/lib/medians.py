"""The middle of many time spans, found where they are stored."""

from statistics import median
from typing import Any

from django.db import connections
from django.db.models import FloatField, Func, QuerySet


class SecondsBetween(Func):
    """Seconds from one column with times to another."""

    arity = 2
    output_field = FloatField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """Return the difference as a number."""
        template = "EXTRACT(EPOCH FROM -(%(expressions)s))::float8"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """Return it by Django's own function, which counts microseconds from the second time to the first."""
        template = "(-django_timestamp_diff(%(expressions)s) / 1000000.0)"
        return self.as_sql(compiler, connection, template=template, **extra)


def median_seconds(rows: QuerySet[Any], start: str, end: str) -> float | None:
    """Return the median of the seconds between two columns of these rows, which may be cut off; None without rows."""
    spans = rows.values_list(SecondsBetween(start, end), flat=True)
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        found = list(spans)
        return median(found) if found else None
    sql, parameters = spans.query.get_compiler(rows.db).as_sql()
    middle = f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY span) FROM ({sql}) AS spans (span)"  # noqa: S608  # the ORM's own SQL
    with connection.cursor() as cursor:
        cursor.execute(middle, parameters)
        seconds: float | None = cursor.fetchone()[0]
    return seconds
