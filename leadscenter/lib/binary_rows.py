"""Rows with bytes in them, in the driver's binary form: as text, bytes come as twice as many hexadecimal digits."""

from typing import Any

import psycopg
from django.db import connections
from django.db.models import QuerySet


def binary_rows(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a `values_list` of numbers, texts and bytes."""
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        return list(rows)
    sql, parameters = rows.query.get_compiler(rows.db).as_sql()
    # Django's own cursor asks whether the connection lives; it puts values into the statement and so reads text alone.
    with connection.cursor() as cursor, connection.wrap_database_errors, psycopg.Cursor(cursor.connection) as binary:
        # Not prepared: a pooler in transaction mode gives each transaction another session.
        binary.execute(sql, parameters, prepare=False, binary=True)
        return binary.fetchall()
