"""`any_of`: like `in`, for thousands of numbers. Postgres gets them as one array instead of one placeholder each."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import BigIntegerField
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
