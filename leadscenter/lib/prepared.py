"""Questions that every request asks: their SQL is written by the ORM once, then sent with other values each time.

For Django to write the SQL of a small question takes longer than for the database to answer it.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)
MARK = -(2**62)
"""Stands for the first value while the SQL is written, the next number for the second: nothing has such an id."""


class Prepared(Generic[M]):
    """A query about ids. `build` gets as many ids as it takes arguments and must ask for them all by parameter."""

    def __init__(self, build: Callable[..., QuerySet[M, Any]], *, ids: int) -> None:
        self._build, self._ids = build, ids
        self._written: dict[str, tuple[str, list[Any], type[M]]] = {}

    def rows(self, *ids: int) -> list[tuple[Any, ...]]:
        """Return the rows of a `values_list` of numbers and texts, as the database gives them."""
        sql, parameters, _model = self.asked(ids)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def objects(self, *ids: int) -> list[M]:
        """Return objects with their annotations; for a query that joins no other model's columns."""
        sql, parameters, model = self.asked(ids)
        return list(model._default_manager.raw(sql, parameters))

    def asked(self, ids: tuple[int, ...]) -> tuple[str, list[Any], type[M]]:
        """Return the SQL, its parameters with these ids among them, and the model of the rows."""
        vendor = connections[DEFAULT_DB_ALIAS].vendor
        if vendor not in self._written:
            self._written[vendor] = self._write()
        sql, parameters, model = self._written[vendor]
        return sql, [ids[value - MARK] if _is_mark(value, self._ids) else value for value in parameters], model

    def _write(self) -> tuple[str, list[Any], type[M]]:
        rows = self._build(*range(MARK, MARK + self._ids))
        sql, parameters = rows.query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        missing = {MARK + place for place in range(self._ids)} - {p for p in parameters if isinstance(p, int)}
        assert not missing, "a value was written into the SQL"
        return sql, list(parameters), rows.model


def together(*questions: tuple[Prepared[Any], tuple[int, ...]]) -> list[list[tuple[Any, ...]]]:
    """Return the rows of several queries by one statement. Their columns are alike; the order of rows is lost."""
    found: list[list[tuple[Any, ...]]] = [[] for _question in questions]
    parts, parameters = [], []
    for place, (question, ids) in enumerate(questions):
        sql, values, _model = question.asked(ids)
        parts.append(f"SELECT {place}, part.* FROM ({sql}) part")  # noqa: S608  # the ORM's own SQL
        parameters += values
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
        for place, *row in cursor.fetchall():
            found[place].append(tuple(row))
    return found


def _is_mark(value: Any, ids: int) -> bool:
    return isinstance(value, int) and MARK <= value < MARK + ids
