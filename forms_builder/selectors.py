"""Reads: the form as people see it (public), and an ad account's forms as its members see them."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.access import Can, require
from accounts.models import AdAccount, User
from forms_builder import measures
from forms_builder.models import Form, FormVersion
from forms_builder.parsing import parse
from forms_builder.schema import FormContent

LATE = datetime.timedelta(hours=24)
KEPT_CONTENTS = 1000


@dataclass(frozen=True, slots=True)
class ServedForm:
    """One published or superseded version with what serving it and taking its answers need; one query."""

    form_id: int
    public_id: str
    name: str
    status: str
    archived_at: datetime.datetime | None
    ad_account_id: int
    library_id: int | None
    advertiser: str
    version_id: int
    number: int
    language: str
    content: FormContent

    @property
    def is_live(self) -> bool:
        """Whether the page shows it."""
        return self.status == Form.Status.LIVE

    def takes_answers(self, now: datetime.datetime | None = None) -> bool:
        """Whether answers are accepted: live, or archived less than 24 hours ago (a page may still be open)."""
        if self.is_live:
            return True
        return self.archived_at is not None and (now or timezone.now()) - self.archived_at < LATE


_contents: dict[int, FormContent] = {}


def published_form(public_id: str) -> ServedForm | None:
    """Return the published version of a form by its public id, archived or not; None if there is none."""
    if not _may_be_public_id(public_id):
        return None
    return _served(FormVersion.objects.filter(form__public_id=public_id, form__published=F("pk")))


def shown_version(public_id: str, number: int) -> ServedForm | None:
    """Return a version that people have seen, published or superseded; None if it never was, or is another form's."""
    if not 0 < number < 2**31 or not _may_be_public_id(public_id):
        return None
    return _served(FormVersion.objects.filter(form__public_id=public_id, number=number, status__in=FormVersion.SHOWN))


def _may_be_public_id(text: str) -> bool:
    """Whether it is worth asking: Postgres takes no NUL, which a path may hold."""
    return text.isascii() and text.isalnum()


COLUMNS = {
    "form_id": "form_id",
    "public_id": "form__public_id",
    "name": "form__name",
    "status": "form__status",
    "archived_at": "form__archived_at",
    "ad_account_id": "form__ad_account_id",
    "library_id": "form__ad_account__library__pk",
    "advertiser": "form__ad_account__name",
    "version_id": "pk",
    "number": "number",
    "language": "language",
    "content": "content",
}


def _served(rows: QuerySet[FormVersion]) -> ServedForm | None:
    row = rows.values_list(*COLUMNS.values()).first()
    if row is None:
        return None
    values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    values["content"] = content_of(values["version_id"], values["content"])
    return ServedForm(**values)


def content_of(version_id: int, raw: Any) -> FormContent:
    """Return the content of a published version, parsed at most once per process: it never changes."""
    found = _contents.get(version_id)
    if found is None:
        if len(_contents) >= KEPT_CONTENTS:
            _contents.clear()
        found = _contents[version_id] = parse(raw)
    return found


@dataclass(frozen=True, slots=True)
class FormRow:
    """A line of the forms list. Counts are of people, never a lead, so every role sees them."""

    form: Form
    version: int | None
    draft: FormVersion | None
    counts: measures.Counts


def forms_of(actor: User, ad_account: AdAccount, *, archived: bool = False) -> list[FormRow]:
    """Return the account's forms, newest first, with counts of all time: permission and three queries."""
    require(actor, Can.VIEW_FORMS, ad_account)
    forms = (
        Form.objects.filter(ad_account=ad_account, removed_at=None)
        .select_related("published")
        .order_by("-created_at", "-pk")
    )
    forms = forms.filter(status=Form.Status.ARCHIVED) if archived else forms.exclude(status=Form.Status.ARCHIVED)
    rows = list(forms)
    drafts = drafts_of(rows)
    counted = measures.counts([form.pk for form in rows], by="form_id")
    return [
        FormRow(
            form,
            form.published.number if form.published else None,
            drafts.get(form.pk),
            counted.get(form.pk, measures.Counts()),
        )
        for form in rows
    ]


def counts_of(form: Form) -> measures.Counts:
    """Return the counts of one form since the beginning; the caller has asked who may see it."""
    return measures.counts([form.pk]).get(None, measures.Counts())


def drafts_of(forms: Iterable[Form]) -> dict[int, FormVersion]:
    """Return the version that is edited, or waits for approval, by form id."""
    open_ = FormVersion.objects.filter(form__in=[form.pk for form in forms], status__in=FormVersion.OPEN)
    return {version.form_id: version for version in open_}


def versions_of(actor: User, form: Form) -> list[FormVersion]:
    """Return all versions of a form, newest first, with who published them."""
    require(actor, Can.VIEW_FORMS, form.ad_account)
    return list(form.versions.select_related("published_by").order_by("-number"))
