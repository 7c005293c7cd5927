"""What a route demands, said where the route is. It only says: the service or selector refuses.

Every page view carries one of `@allows`, `@signed_in`, `@public`; every API view a class attribute `can` (a right) or
`declares` (`SIGNED_IN` or `PUBLIC`). A completeness test walks the resolver.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from django.contrib.auth.decorators import login_not_required

from accounts.access import Can

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declaration:
    """`kind` is what is demanded; for "allows", the right and the object that it is asked of."""

    kind: Literal["allows", "signed_in", "public", "staff"]
    can: Can | None = None
    of: str = ""


SIGNED_IN = Declaration("signed_in")
PUBLIC = Declaration("public")
STAFF = Declaration("staff")


def allows(can: Can, *, of: Literal["library", "ad_account"]) -> Callable[[View], View]:
    """Say that the view needs `can` on the library or ad account that its URL leads to."""

    def declare(view: View) -> View:
        view.declaration = Declaration("allows", can, of)  # type: ignore[attr-defined]
        return view

    return declare


def signed_in(view: View) -> View:
    """Say that any signed-in person may use the view: it shows what is theirs."""
    view.declaration = SIGNED_IN  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """Say that the view is open to everyone, without signing in."""
    view.declaration = PUBLIC  # type: ignore[attr-defined]
    return login_not_required(view)


def staff(view: View) -> View:
    """Say that the view is for platform staff."""
    view.declaration = STAFF  # type: ignore[attr-defined]
    return view
