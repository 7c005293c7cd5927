"""The imports of a library as a list, and the page on which a file comes in."""

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import Can
from accounts.declarations import allows
from accounts.freshness import fresh
from accounts.models import LeadLibrary
from accounts.refusals import Conflict, Invalid
from accounts.shell import shell
from accounts.views import person
from forms_builder.models import Form
from leads.center.selectors.library import library_of
from leads.imports.selectors import forms_for, imports_of
from leads.imports.services.asking import MOST_BYTES, UNDER_WAY, upload
from leads.imports.services.handing_out import has_faults_file
from leads.models import Import
from leadscenter.lib.paging import BadCursor


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An import in the list; `progress` of `total` rows while it is under way."""

    id: int
    who: str
    initials: str
    form: str
    format: str
    state: str
    state_label: str
    failure: str
    progress: int
    total: int
    made: int
    updated: int
    skipped: int
    faulty: int
    at: datetime
    stale: bool
    mine: bool
    discarded: bool
    has_faults: bool

    @property
    def under_way(self) -> bool:
        """Whether a worker is at it."""
        return not self.stale and self.state in UNDER_WAY

    @property
    def waits(self) -> bool:
        """Whether its person has to go on with it."""
        return self.mine and not self.stale and self.state in (Import.State.UPLOADED, Import.State.CHECKED)


def row_of(row: Import, library: LeadLibrary, user_id: int | None) -> ImportRow:
    """Put an import into what its row shows; a file that was discarded has an end, one that expired has none."""
    discarded = row.state == Import.State.EXPIRED and row.finished_at is not None
    return ImportRow(
        id=row.pk,
        who=str(row.requested_by),
        initials=row.requested_by.initials,
        form=row.form.name,
        format=row.format.upper(),
        state=row.state,
        state_label=_("Discarded") if discarded else row.get_state_display(),
        failure=row.failure,
        progress=row.cursor,
        total=row.total,
        made=row.made,
        updated=row.updated,
        skipped=row.skipped,
        faulty=row.faulty,
        at=row.requested_at,
        stale=row.custody != library.custody,
        mine=row.requested_by_id == user_id,
        discarded=discarded,
        has_faults=has_faults_file(row),
    )


class UploadForm(forms.Form):
    """A file, and the form whose leads it holds."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX with the names of the columns in its first row."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    form = forms.TypedChoiceField(
        label=gettext_lazy("Form"),
        coerce=int,
        help_text=gettext_lazy("Its questions are what the columns answer; each row is judged as its page would."),
    )

    def __init__(self, choices: list[Form], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["form"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(one.pk, one.name) for one in choices]


@allows(Can.WORK_LEADS, of="library")
@never_cache
@require_GET
def imports(request: HttpRequest, library_id: int) -> HttpResponse:
    """List the imports of the library, newest first; the part with the rows asks again while one is under way."""
    library, actor = library_of(library_id), person(request)
    try:
        page = imports_of(actor, library, cursor=request.GET.get("cursor") or None)
    except BadCursor:
        page = imports_of(actor, library)
    rows = [row_of(row, library, actor.pk) for row in page.rows]
    context = {
        "library": library,
        "rows": rows,
        "running": any(row.under_way for row in rows),
        "before": f"?cursor={page.previous}" if page.previous else "",
        "after": f"?cursor={page.next}" if page.next else "",
    }
    if getattr(request, "htmx", False):
        return render(request, "leads/_imports.html", context)
    return render(request, "leads/imports.html", {**context, **shell(request, library=library, active="leads")})


@allows(Can.WORK_LEADS, of="library")
@never_cache
@fresh
def import_new(request: HttpRequest, library_id: int) -> HttpResponse:
    """Take a file of leads; its columns are mapped on the next page."""
    library, actor = library_of(library_id), person(request)
    choices = forms_for(actor, library)
    form = UploadForm(choices, *((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if given["file"].size > MOST_BYTES:
                raise Invalid({"file": _("A file has at most %(limit)d MB.") % {"limit": MOST_BYTES >> 20}})
            row = upload(
                actor=actor,
                library=library,
                form_id=given["form"],
                content=given["file"].read(),
            )
            return redirect("import_one", library_id, row.pk)
        except Invalid as invalid:
            for name, text in invalid.errors.items():
                form.add_error(name if name in form.fields else None, text)
        except Conflict as conflict:
            form.add_error(None, conflict.detail)
    context = {
        "library": library,
        "form": form,
        "has_forms": bool(choices),
        "steps": steps_of(Import.State.UPLOADED, "file"),
        **shell(request, library=library, active="leads"),
    }
    return render(request, "leads/import_new.html", context, status=400 if form.errors else 200)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the stepper."""

    label: str
    current: bool
    done: bool
    fault: bool = False
    url: str = ""


def steps_of(state: str, current: str, *, map_url: str = "") -> list[Step]:
    """Return the way of a file: where it is, what is behind it."""
    names = {"file": _("File"), "columns": _("Columns"), "check": _("Check"), "import": _("Import")}
    place = list(names).index(current)
    ended = state == Import.State.DONE
    return [
        Step(
            label=label,
            current=key == current,
            done=number < place or ended,
            fault=key == current and state == Import.State.FAILED,
            url=map_url if key == "columns" and number < place else "",
        )
        for number, (key, label) in enumerate(names.items())
    ]
