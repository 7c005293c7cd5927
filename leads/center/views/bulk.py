"""One thing done to many leads of the list. What matches a filter is worked through in steps of a thousand."""

from dataclasses import asdict, dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.access import Can, require
from accounts.declarations import allows
from accounts.freshness import ask_again, fresh, is_fresh
from accounts.models import LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from accounts.shell import shell
from leads.center.selectors.library import library_of
from leads.center.services.bulk import Step, step_of
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.working import MOST_AT_ONCE, change_leads
from leads.center.views.exporting import export_page, keep, new_export_url, wanted_of
from leads.center.views.leads import Params, back_of, wanted_change
from leads.center.views.whole import person
from leads.crm.services.deliveries import resend_failed
from leads.exports.services.asking import request_export
from leads.selection import Selection, read_id, read_selection

DELETED = "deleted_leads"
"""In the session: the leads of a person's last deletion, which its message can undo."""
CARRIED = ("act", "status", "assignee", "label_text", "next")
NOBODY_CHOSEN = gettext_lazy("Choose leads first: a tick in front of each.")


@dataclass(frozen=True, slots=True)
class Progress:
    """A step was done and more match: what the page shows and sends to go on."""

    done: int
    total: int
    carried: tuple[tuple[str, str], ...]
    url: str


@allows(Can.WORK_LEADS, of="library")
@require_POST
def bulk(request: HttpRequest, library_id: int) -> HttpResponse:
    """Do one thing to the chosen leads, or to all that match the list's filter."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.WORK_LEADS, library)
    act = request.POST.get("act")
    if request.GET.get("undo"):
        return _undo(request, library, actor)
    if act in ("delete", "export", "columns") and not is_fresh(request):
        return ask_again(request, back=back_of(request, library_id))
    try:
        if act in ("export", "columns"):
            return _export(request, library, actor)
        step = _step(request, library, actor)
        told = _act(actor, library, step, request.POST) if step.ids else str(NOBODY_CHOSEN)
    except ValueError:
        messages.error(request, str(NOBODY_CHOSEN))
    except Invalid as invalid:
        messages.error(request, str(next(iter(invalid.errors.values()))))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        if step.next:
            return _go_on(request, library, step)
        undo = _undo_url(request, library, step) if act == "delete" else ""
        told = told if not step.before else _("Done: %(n)s leads.") % {"n": step.done}
        messages.success(request, told, extra_tags=undo)
    return redirect(back_of(request, library_id))


def _undo_url(request: HttpRequest, library: LeadLibrary, step: Step) -> str:
    """Return where these leads are put back at once; what was deleted in steps is put back from the trash."""
    if step.before or not step.ids:
        return ""
    request.session[DELETED] = {"library": library.pk, "ids": step.ids}
    return f"/l/{library.pk}/leads/bulk/?undo={step.ids[0]}"


def _undo(request: HttpRequest, library: LeadLibrary, actor: User) -> HttpResponse:
    try:
        kept = request.session.get(DELETED) or {"library": 0, "ids": [0]}
        ids: list[int] = kept["ids"]
        if (kept["library"], str(ids[0])) != (library.pk, request.GET["undo"]):  # there was another one since
            raise Http404
        restore_leads(actor=actor, library=library, lead_ids=ids)
        del request.session[DELETED]
    except (Invalid, Http404):
        messages.error(request, _("This cannot be undone from here. Look into the trash."))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        text = ngettext("%(n)s lead put back.", "%(n)s leads put back.", len(ids))
        messages.success(request, text % {"n": len(ids)})
    return redirect(back_of(request, library.pk))


def _step(request: HttpRequest, library: LeadLibrary, actor: User) -> Step:
    if request.POST.get("scope") != "all":
        return Step([read_id(text) for text in request.POST.getlist("ids")])
    selection = read_selection(library, request.GET, actor=actor)
    after, before, total = request.POST.get("after", ""), _number(request, "done"), _number(request, "total")
    return step_of(actor=actor, library=library, selection=selection, after=after, before=before, total=total)


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _go_on(request: HttpRequest, library: LeadLibrary, step: Step) -> HttpResponse:
    carried = [(name, request.POST[name]) for name in CARRIED if request.POST.get(name)]
    carried += [("scope", "all"), ("after", step.next), ("done", str(step.done)), ("total", str(step.total))]
    progress = Progress(step.done, max(step.total, step.done), tuple(carried), request.get_full_path())
    context = {"progress": progress, "back": back_of(request, library.pk), "size": MOST_AT_ONCE}
    return render(request, "leads/bulk.html", {**context, **shell(request, library=library, active="leads")})


def _act(actor: User, library: LeadLibrary, step: Step, posted: Params) -> str:
    """Do it to the leads of the step and say so; raise `Conflict` where one of them is gone: then to none of them."""
    try:
        return _done(actor, library, step.ids, posted)
    except Http404 as gone:
        text = _("Some of these leads are no longer here. Nothing was changed: look at the list and choose again.")
        if step.before:
            text = _("%(n)s leads are done. Of the next ones some are no longer here: look at the list and go on.")
        raise Conflict("leads_gone", text % {"n": step.before}) from gone


def _done(actor: User, library: LeadLibrary, ids: list[int], posted: Params) -> str:
    count = len(ids)
    match posted.get("act"):
        case "delete":
            delete_leads(actor=actor, library=library, lead_ids=ids)
            done = ngettext("%(n)s lead deleted.", "%(n)s leads deleted.", count)
            return (done + " " + _("The trash keeps them for 30 days.")) % {"n": count}
        case "restore":
            restore_leads(actor=actor, library=library, lead_ids=ids)
            return ngettext("%(n)s lead put back.", "%(n)s leads put back.", count) % {"n": count}
        case "resend":
            sent = resend_failed(actor=actor, library=library, lead_ids=ids)
            return ngettext("%(n)s failed delivery goes again.", "%(n)s failed deliveries go again.", sent) % {
                "n": sent
            }
    differing = change_leads(actor=actor, library=library, lead_ids=ids, change=wanted_change(posted))
    return ngettext("%(n)s lead changed.", "%(n)s leads changed.", len(differing)) % {"n": len(differing)}


def _export(request: HttpRequest, library: LeadLibrary, actor: User) -> HttpResponse:
    if request.POST.get("scope") == "all":
        selection = read_selection(library, request.GET, actor=actor)
    else:
        ids = tuple(dict.fromkeys(read_id(text) for text in request.POST.getlist("ids")))
        if not ids:
            raise ValueError
        if len(ids) > MOST_AT_ONCE:
            raise Invalid({"ids": _("Choose 1 to %(limit)d leads.") % {"limit": MOST_AT_ONCE}})
        selection = Selection(leads=ids)
    if request.POST.get("act") == "columns":
        return export_page(request, library, actor, selection)
    return _asked(request, library, actor, selection)


@allows(Can.DOWNLOAD_LEADS, of="library")
@require_POST
@fresh
def download(request: HttpRequest, library_id: int) -> HttpResponse:
    """Ask for an export of what the list shows now; a worker makes the file."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.DOWNLOAD_LEADS, library)
    return _asked(request, library, actor, read_selection(library, request.POST, actor=actor))


def _asked(request: HttpRequest, library: LeadLibrary, actor: User, selection: Selection) -> HttpResponse:
    wanted = wanted_of(request.POST)
    try:
        request_export(actor=actor, library=library, selection=selection, **asdict(wanted))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    except Invalid as invalid:
        if not request.POST.get("keep"):
            raise
        messages.error(request, str(next(iter(invalid.errors.values()))))
        return redirect(new_export_url(library, selection, wanted))
    else:
        if request.POST.get("keep"):
            keep(request, library, wanted)
        messages.success(request, _("Export started. You may leave this page; the file waits here."))
    return redirect(f"/l/{library.pk}/exports/")
