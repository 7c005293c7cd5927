"""Questions that Django does not ask by itself.

`any_of`: like `in`, for thousands of numbers. Postgres gets them as one array instead of one placeholder each.
`PlaceOf`: where some bytes stand in a column of bytes.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import BigIntegerField, BinaryField, F, Func, IntegerField, Value
from django.db.models.lookups import In


def numbers(some: Iterable[int]) -> "array[int]":
    """Return numbers so that Django hands them on as they are: of a list it asks each what it is, at every step."""
    return array("q", some)


@BigIntegerField.register_lookup
class AnyOf(In):
    """The column's value is one of these numbers."""

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[int]:
        """Return the numbers at once: thousands of them are not asked one by one what they are."""
        return self.rhs.tolist() if isinstance(self.rhs, array) else [int(value) for value in self.rhs]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
        """Return `column = ANY(array)`, the array as its text: the driver would look at each number."""
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::bigint[])", [*parameters, "{" + ",".join(map(str, self.rhs)) + "}"]


class PlaceOf(Func):
    """The place, from 1, at which the bytes stand for the first time; 0: nowhere. The column does not leave the
    database.
    """

    output_field = IntegerField()

    def __init__(self, wanted: bytes, column: str) -> None:
        super().__init__(Value(wanted, output_field=BinaryField()), F(column))

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
        """Return `POSITION(wanted IN column)`."""
        return self.as_sql(compiler, connection, template="POSITION(%(expressions)s)", arg_joiner=" IN ")

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Return `INSTR(column, wanted)`."""
        turned = self.copy()
        turned.set_source_expressions(self.get_source_expressions()[::-1])
        return turned.as_sql(compiler, connection, function="INSTR", **extra)
