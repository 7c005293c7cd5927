"""`any_of`: like `in`, for thousands of numbers. Postgres gets them as one array instead of one placeholder each."""

from collections.abc import Sequence
from typing import Any

from django.db.models import BigIntegerField
from django.db.models.lookups import In


@BigIntegerField.register_lookup
class AnyOf(In):
    """The column's value is one of these numbers."""

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[int]:
        """Return the numbers at once: thousands of them are not asked one by one what they are."""
        return [int(value) for value in self.rhs]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
        """Return `column = ANY(array)`."""
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", [*parameters, list(self.rhs)]
