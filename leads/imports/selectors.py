"""Imports as somebody may see them: every one of a library, for whoever may work on its leads."""

import re
from dataclasses import dataclass
from datetime import UTC

from django.http import Http404

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from forms_builder.models import Form
from leads.center.masking import mask
from leads.imports.mapping import TIMES
from leads.imports.moments import BadMoment, is_written, read_moment
from leads.imports.table import Row
from leads.models import Import
from leads.vault.answers import EMAIL_KINDS, PHONE_KINDS
from leadscenter.lib.paging import Page, keyset_page

LOOKED_THROUGH = 1000
EXAMPLES = 3
LONGEST_EXAMPLE = 40
MANY_DIGITS = 6
"""From here on they could be a telephone's."""
_BETWEEN = re.compile(r"[\s<>(),;:\"\[\]]")
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, slots=True, repr=False)
class Column:
    """A column of a file, with values of its first rows as far as everybody may see them."""

    place: int
    heading: str
    examples: tuple[str, ...]


def imports_of(actor: User, library: LeadLibrary, *, cursor: str | None = None, size: int = 50) -> Page[Import]:
    """Return a page of the library's imports, newest first; raise `Refused`, `BadCursor`."""
    require(actor, Can.WORK_LEADS, library)
    rows = Import.objects.filter(library=library).select_related("requested_by", "form")
    return keyset_page(rows, order="-requested_at", size=size, cursor=cursor)


def get_import(actor: User, import_id: int, *, can: Can = Can.WORK_LEADS) -> Import:
    """Return the import with its library; raise `Http404` when there is none, `Refused` when it is not for them."""
    rows = Import.objects.select_related("requested_by", "form", "version", "library__custodian")
    row = rows.select_related("library__ad_account__business_center").filter(pk=import_id).first()
    if row is None:
        raise Http404
    require(actor, can, row.library)
    return row


def forms_for(actor: User, library: LeadLibrary) -> list[Form]:
    """Return the forms that leads can be imported to, newest first: those that are or were published."""
    require(actor, Can.WORK_LEADS, library)
    forms = Form.objects.filter(ad_account=library.ad_account_id, removed_at=None, published__isnull=False)
    return list(forms.select_related("published").order_by("-created_at", "-pk"))


def columns_of(headings: tuple[str, ...], rows: list[Row], suggested: list[str]) -> list[Column]:
    """Return the columns with up to three different values each; what looks like a contact detail is masked, but for
    the times in a column that is called so.
    """
    columns = []
    for place, heading in enumerate(headings):
        values = dict.fromkeys(row.cells[place] for row in rows if row.cells[place])
        show = shown_time if suggested[place] in TIMES else masked
        columns.append(Column(place, heading, tuple(show(value) for value in list(values)[:EXAMPLES])))
    return columns


def shown_time(value: str) -> str:
    """Return a cell of a column of times: what is one as it is, Unix time and the days of a spreadsheet, too."""
    try:
        read_moment(value, UTC)
    except BadMoment:
        return masked(value)
    return value


def masked(value: str) -> str:
    """Return a cell as a page shows it: an e-mail and a number that could be a telephone's dotted out, a text cut; a
    date as it is. Of a cell that holds more than an e-mail the rest is left out.
    """
    if "@" in value:
        return _masked_address(value)
    if is_written(value):
        return value
    letters = any(character.isalpha() for character in value)
    if _digits(value) >= MANY_DIGITS and not letters and value.count("-") + value.count(":") < 3:
        return mask(value.replace(" ", ""), PHONE_KINDS[0])
    return value if len(value) <= LONGEST_EXAMPLE else f"{value[: LONGEST_EXAMPLE - 1]}…"


def _masked_address(value: str) -> str:
    before, _at, behind = value.partition("@")
    name, domain = _BETWEEN.split(before)[-1], _DOMAIN.match(behind)
    host = domain[0][:LONGEST_EXAMPLE] if domain and _digits(domain[0]) < MANY_DIGITS else ""
    address = f"{name}@{host}"
    return f"{mask(address, EMAIL_KINDS[0])}{'' if address == value else '…'}"


def _digits(value: str) -> int:
    return sum(character.isdigit() for character in value)
