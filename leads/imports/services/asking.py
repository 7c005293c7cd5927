"""Asking for an import: a file comes in, its columns are mapped, it is checked; then somebody says yes. Or no."""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from forms_builder.models import Form, FormVersion
from forms_builder.schema import FormContent
from forms_builder.selectors import content_of
from leads.imports import file
from leads.imports.mapping import judge, read_mapping
from leads.imports.selectors import LOOKED_THROUGH
from leads.imports.table import BadFile, Row, Table, format_of, read_table
from leads.models import Import
from leads.sealed_file import wrap_key
from leadscenter.lib.envelope import new_key
from leadscenter.lib.ids import new_id

MOST_BYTES = 20 * 1024 * 1024
KEPT = timedelta(days=7)
MAX_OPEN = 10
WAITING = (Import.State.UPLOADED, Import.State.CHECKED)
UNDER_WAY = (Import.State.CHECKING, Import.State.RUNNING)


def upload(
    *,
    actor: User,
    library: LeadLibrary,
    form_id: int,
    content: bytes,
) -> Import:
    """Keep a file of leads, sealed; it waits for its mapping.

    Raises `Refused`, `Invalid` (a form of another account, no table), `Conflict` while too many are open.
    """
    version = _judged(actor, library, form_id, content)
    table, file_format, _first = _table(content)
    return _keep(actor, library, version, content, _fields(table, file_format))


def upload_and_check(
    *,
    actor: User,
    library: LeadLibrary,
    form_id: int,
    content: bytes,
    mapping: Any,
    duplicates: str,
    deliver: bool,
    straight_on: bool,
) -> Import:
    """Keep a file with its mapping and check it at once; `straight_on` imports it then without a further question.

    Raises as `upload` does; nothing is kept for a mapping that cannot be.
    """
    version = _judged(actor, library, form_id, content)
    _judge_policy(actor, library, duplicates, deliver)
    table, file_format, first = _table(content)
    keys = read_mapping(mapping, table.headings, content_of(version.pk, version.content), first)
    fields = _fields(table, file_format) | {"duplicates": duplicates, "deliver": deliver}
    fields |= {"mapping": keys, "state": Import.State.CHECKING, "straight_on": straight_on, "due_at": Now()}
    return _keep(actor, library, version, content, fields)


def check(*, actor: User, row: Import, mapping: Sequence[str], duplicates: str, deliver: bool) -> Import:
    """Map the columns and have the file checked; nothing is written into the library.

    Raises `Refused`, `Invalid`, `Conflict` when it is another person's, under way or over.
    """
    require(actor, Can.WORK_LEADS, row.library, custody=row.custody)
    _judge_owner(actor, row)  # before anything of the file is said
    _judge_policy(actor, row.library, duplicates, deliver)
    keys = judge(list(mapping), headings_of(row), version_content(row))
    fields: dict[str, Any] = {"mapping": keys, "duplicates": duplicates, "deliver": deliver, "straight_on": False}
    return _move(actor, row, WAITING, Import.State.CHECKING, **fields, **NOTHING_YET)


def start(*, actor: User, row: Import) -> Import:
    """Import what was checked. Raises `Refused`, `Conflict` when it was not checked or is another person's."""
    require(actor, Can.WORK_LEADS, row.library, custody=row.custody)
    return _move(actor, row, (Import.State.CHECKED,), Import.State.RUNNING, **NOTHING_YET)


def discard(*, actor: User, row: Import) -> None:
    """Throw away a file that is not imported yet, or the faulty rows of one that is; a check ends with its file.

    Raises `Refused`, and `Conflict` while the file is imported.
    """
    require(actor, Can.WORK_LEADS, row.library)
    with transaction.atomic():
        fresh = Import.objects.select_for_update(no_key=True).get(pk=row.pk)
        if fresh.state == Import.State.RUNNING:
            raise Conflict("import_under_way", _("This import is under way. Wait until it has ended."))
        waited = {"state": Import.State.EXPIRED, "finished_at": Now(), **NOTHING_YET}
        not_yet = fresh.state in (*WAITING, Import.State.CHECKING)
        if fresh.wrapped_key is not None:
            audit.record(Act.IMPORT_DISCARDED, row.library, actor=actor, targets=[row.pk])
        Import.objects.filter(pk=row.pk).update(wrapped_key=None, **waited if not_yet else {})
    file.remove(row.pk)


NOTHING_YET: dict[str, Any] = {"cursor": 0, "made": 0, "updated": 0, "skipped": 0, "faulty": 0}
"""What came in of a file that is not imported: the numbers of its check are of what would."""


def headings_of(row: Import) -> tuple[str, ...]:
    """Return what the columns of the file are called; raise `Conflict` when the file is not here any more."""
    return table_of(row).headings


def table_of(row: Import) -> Table:
    """Return the file of an import, opened; raise `Conflict` when it is not here any more."""
    if row.wrapped_key is None:
        raise _missing()
    try:
        return read_table(file.content_of(row), row.format)
    except FileNotFoundError as error:
        raise _missing() from error


def version_content(row: Import) -> FormContent:
    """Return what the form asks, in the version that the import was made for."""
    assert row.version is not None
    return content_of(row.version.pk, row.version.content)


def _missing() -> Conflict:
    return Conflict("import_expired", _("This file is not here any more. Upload it again."))


def _judged(actor: User, library: LeadLibrary, form_id: int, content: bytes) -> FormVersion:
    require(actor, Can.WORK_LEADS, library)
    forms = Form.objects.filter(pk=form_id, ad_account=library.ad_account_id, removed_at=None)
    form = forms.select_related("published").first()
    if form is None or form.published is None:
        raise Invalid({"form": _("Choose a form of this account that is published.")})
    if len(content) > MOST_BYTES:
        raise Invalid({"file": _("A file has at most %(limit)d MB.") % {"limit": MOST_BYTES >> 20}})
    return form.published


def _judge_owner(actor: User, row: Import) -> None:
    if row.requested_by_id != actor.pk:
        told = _("%(who)s uploaded this file, and only they can go on with it.") % {"who": row.requested_by}
        raise Conflict("import_of_another", told)


def _judge_policy(actor: User, library: LeadLibrary, duplicates: str, deliver: bool) -> None:
    if duplicates not in Import.Duplicates.values:
        raise Invalid({"duplicates": _("Use one of: %(offered)s.") % {"offered": ", ".join(Import.Duplicates.values)}})
    if deliver:  # what a file brings goes out then, as when leads are sent again
        require(actor, Can.CONNECT_CRM, library)


def _table(content: bytes) -> tuple[Table, str, list[Row]]:
    """Return what the file is, and its first rows. Lines are read to their end while somebody waits; a workbook, which
    takes longer, is so by the check.
    """
    try:
        file_format = format_of(content)
        table = read_table(content, file_format)
        first = list(islice(table.rows, LOOKED_THROUGH))
        if not first:
            raise BadFile(_("There is no row under the names of the columns."))
        if file_format == "csv":
            deque(table.rows, maxlen=0)
    except BadFile as error:
        raise Invalid({"file": str(error)}) from error
    return table, file_format, first


def _fields(table: Table, file_format: str) -> dict[str, Any]:
    return {"format": file_format, "notices": " ".join(table.notices)}


def _keep(actor: User, library: LeadLibrary, version: FormVersion, content: bytes, fields: dict[str, Any]) -> Import:
    import_id, key = new_id(), new_key()
    try:
        size, records = file.keep(import_id, key, content)
        with transaction.atomic():
            require(actor, Can.WORK_LEADS, library)
            if Import.objects.filter(library=library, state__in=(*WAITING, *UNDER_WAY)).count() >= MAX_OPEN:
                raise Conflict("imports_open", _("Ten files wait here. Import or discard one of them first."))
            audit.record(
                Act.IMPORT_REQUESTED,
                library,
                actor=actor,
                targets=[import_id],
                format=fields["format"],
                form=version.form_id,
                step="uploaded",
            )
            row = Import(
                id=import_id,
                library=library,
                custody=library.custody,
                form_id=version.form_id,
                version=version,
                requested_by=actor,
                bytes_written=size,
                records=records,
                wrapped_key=wrap_key(key),
                expires_at=Now() + KEPT,
                **fields,
            )
            row.save(force_insert=True)
    except BaseException:
        file.remove(import_id)
        raise
    return Import.objects.select_related("library__ad_account", "version").get(pk=import_id)


def _move(actor: User, row: Import, before: Sequence[str], after: str, **fields: Any) -> Import:
    """Bring an import of the actor's own from one state into a next that a worker works on."""
    _judge_owner(actor, row)
    with transaction.atomic():
        require(actor, Can.WORK_LEADS, row.library, custody=row.custody)
        fresh = Import.objects.select_for_update(no_key=True).get(pk=row.pk)
        if fresh.state not in before or fresh.wrapped_key is None:
            raise Conflict(
                "import_not_ready",
                _("This import is not at this step: %(state)s.") % {"state": fresh.get_state_display().lower()},
            )
        if after == Import.State.RUNNING:
            audit.record(Act.IMPORT_REQUESTED, row.library, actor=actor, targets=[row.pk], step="started")
        Import.objects.filter(pk=row.pk).update(state=after, tries=0, due_at=Now(), **fields)
    return Import.objects.select_related("library__ad_account", "version", "requested_by").get(pk=row.pk)
