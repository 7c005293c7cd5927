"""What sealed things look like from outside: bytes with an owner, and nothing that opens them."""

from dataclasses import dataclass
from typing import Any, Literal

SealName = Literal["answers/1", "note/1", "credential/1", "excerpt/1"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The row that a sealed value belongs to; moved to another row, library or region it does not open."""

    library_id: int
    region: str
    row_id: int


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A value as it stands in the database. A template shows •••, a log its row's id."""

    name: SealName
    owner: Owner
    record: bytes

    def __repr__(self) -> str:
        return f"<Sealed {self.name} of {self.owner.row_id}>"

    def __str__(self) -> str:
        return "•••"


@dataclass(frozen=True, slots=True, repr=False)
class Plain:
    """A JSON value on its way to be sealed by a save."""

    value: Any

    def __repr__(self) -> str:
        return "<Plain •••>"

    def __str__(self) -> str:
        return "•••"
