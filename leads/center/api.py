"""REST API of leads, libraries and their trail. What is foreign and what is missing are both 404.

Tokens with the scope `leads:read` read in clear, one event per page with one target per lead; a token without it gets
the same objects without answers; a session gets what the page shows: masked, `?reveal=1` on a single lead.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require
from accounts.authentication import actor_of, require_fresh
from accounts.declarations import SIGNED_IN
from accounts.models import LeadLibrary
from accounts.refusals import Invalid
from accounts.wire import CURSOR
from forms_builder.models import Form
from leads.center.disclosure import OpenLead, read_notes
from leads.center.requests import (
    SORTING,
    body_of,
    change_of,
    lacks_scope,
    order_of,
    paging,
    reads_clear,
    searchable,
    selection_of,
    size_of,
)
from leads.center.selectors.library import lead_of, libraries_of, library_of
from leads.center.selectors.listing import PAGE, LeadPage, labels_of, list_leads, list_without_answers
from leads.center.selectors.lives import WrittenNote, names_of, open_lead, timeline_of
from leads.center.serializers import (
    BulkBody,
    Changed,
    ConsentRecordShape,
    LeadChange,
    LeadPageShape,
    LeadShape,
    LibraryChange,
    LibraryShape,
    NoteBody,
    ResultsShape,
    SearchBody,
    consent_json,
    lead_json,
    library_json,
    moment_json,
    note_json,
    rows_json,
)
from leads.center.services.bulk import ids_of
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.testing import create_test_lead, delete_test_lead, tests_of
from leads.center.services.working import add_note, change_leads
from leads.crm.services.deliveries import resend_failed
from leads.models import Lead
from leads.parameters import FILTERS, PARAMETERS, read_filter
from leads.privacy.consent import read_consent
from leads.privacy.services.library import change_library
from leads.selection import Selection, read_id
from leadscenter.lib.paging import BadCursor, Page, page_body

MAX_PAGE = 100
PAGED = [*SORTING, paging(PAGE, MAX_PAGE), CURSOR]


class LeadsView(APIView):
    """What all have in common: personal data is for no cache, a bad cursor is bad input."""

    can: Can | None = Can.VIEW_LEADS

    def handle_exception(self, exc: Exception) -> Response:
        """Tell a cursor that is not ours as bad input."""
        if isinstance(exc, BadCursor):
            exc = Invalid({"cursor": _("Not a cursor of this list.")})
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers out of caches."""
        answer: HttpResponse = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer


class Libraries(LeadsView):
    """The lead libraries that the caller belongs to."""

    can = None
    declares = SIGNED_IN

    @extend_schema(operation_id="libraries_list", responses=LibraryShape(many=True))
    def get(self, request: Request) -> Response:
        """List them by name."""
        rows = [library_json(library) for library in libraries_of(actor_of(request))]
        return Response({"results": rows, "next": None, "previous": None})


class OneLibrary(LeadsView):
    """A lead library: whose it is, how long it keeps leads."""

    can = Can.BELONG_LIBRARY
    can_patch = Can.MANAGE_PRIVACY

    @extend_schema(operation_id="libraries_get", responses=LibraryShape)
    def get(self, request: Request, library_id: int) -> Response:
        """Return the library."""
        library = library_of(library_id)
        require(actor_of(request), Can.BELONG_LIBRARY, library)
        return Response(library_json(library))

    @extend_schema(operation_id="libraries_change", request=LibraryChange, responses=LibraryShape)
    def patch(self, request: Request, library_id: int) -> Response:
        """Set retention or contact goal. What a shorter retention deletes is not undone: a session proves afresh who it
        is.
        """
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.MANAGE_PRIVACY, library)
        values = body_of(request, {"retention_days", "contact_goal_minutes", "mail_names"})
        days = values.get("retention_days")
        if isinstance(days, int) and days < library.retention_days:
            require_fresh(request)
        return Response(library_json(change_library(actor=actor, library=library, values=values)))


class LibraryLeads(LeadsView):
    """The leads of a library."""

    shows_less = True

    @extend_schema(operation_id="leads_list", responses=LeadPageShape, parameters=[*PARAMETERS, *PAGED])
    def get(self, request: Request, library_id: int) -> Response:
        """List leads, newest first, by the filters of the query string; `?sort=attention` shows the most urgent
        first, `?sort=change` the last change of status; `order` says the same.

        A `since` that is read again and again should reach back ten seconds: leads may be committed late.
        """
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.VIEW_LEADS, library)
        return Response(_page(request, library, selection_of(request, library, actor)))


class Search(LeadsView):
    """Search in a library: by POST, so that what is searched for stands in no URL and no log."""

    @extend_schema(operation_id="leads_search", request=SearchBody, responses=LeadPageShape, parameters=PAGED)
    def post(self, request: Request, library_id: int) -> Response:
        """Find leads by a whole e-mail, a phone number or its last six digits, or words of the name."""
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.VIEW_LEADS, library)
        body = body_of(request, {"filter", *FILTERS})
        if not body.get("q"):
            raise Invalid({"q": _("Say what to search for.")})
        filters = body.pop("filter", {})
        selection = read_filter(library, {**filters, **body} if isinstance(filters, dict) else filters, actor=actor)
        return Response(_page(request, library, selection))


def _page(request: Request, library: LeadLibrary, selection: Selection) -> dict[str, object]:
    params, actor = request.query_params, actor_of(request)
    order, size = order_of(request, selection.sort), size_of(request, PAGE, MAX_PAGE)
    selection = selection.sorted_by(order)
    asked: dict[str, Any] = {"order": order, "cursor": params.get("cursor"), "size": size}
    if lacks_scope(request):
        page = list_without_answers(actor=actor, library=library, selection=selection, **asked)
    else:
        clear = reads_clear(request)
        page = list_leads(actor=actor, library=library, selection=selection, reveal=clear, purpose="api", **asked)
    kept = {**selection.as_params(), **({"sort": order} if order != "received" else {})}
    kept |= {"page_size": str(size)} if size != PAGE else {}
    address = request.build_absolute_uri(reverse("api_leads", args=[library.pk]))
    body = page_body(_cursors(page), rows_json(page.rows, library), f"{address}?{urlencode(kept)}" if kept else address)
    return {**body, "narrow": page.narrow} if selection.words else body


def _cursors(page: LeadPage) -> Page[object]:
    return Page([], page.next, page.previous)


class OneLead(LeadsView):
    """A lead."""

    fresh = ("delete",)
    can_patch = Can.WORK_LEADS
    can_delete = Can.DELETE_LEADS

    @property
    def shows_less(self) -> bool:
        """Only reading has a form without answers."""
        return self.request.method in ("GET", "HEAD")

    @extend_schema(
        operation_id="leads_get", responses=LeadShape, parameters=[OpenApiParameter("reveal", str, enum=["1"])]
    )
    def get(self, request: Request, lead_id: int) -> Response:
        """Return the lead; `?reveal=1` shows a session the contact details and is recorded as such."""
        return Response(_lead(request, lead_of(actor_of(request), lead_id)))

    @extend_schema(operation_id="leads_change", request=LeadChange, responses=LeadShape)
    def patch(self, request: Request, lead_id: int) -> Response:
        """Set status, labels (all of them, or some to add and to take off) or assignee (null: nobody)."""
        actor = actor_of(request)
        lead = lead_of(actor, lead_id, can=Can.WORK_LEADS)
        change = change_of(body_of(request, {"status", "labels", "add_labels", "remove_labels", "assignee"}))
        change_leads(actor=actor, library=lead.library, lead_ids=[lead.pk], change=change)
        return Response(_lead(request, lead_of(actor, lead_id, can=Can.WORK_LEADS)))

    @extend_schema(operation_id="leads_delete", responses={204: None})
    def delete(self, request: Request, lead_id: int) -> Response:
        """Put the lead into the trash, from where it can be restored for 30 days."""
        actor = actor_of(request)
        lead = lead_of(actor, lead_id, can=Can.DELETE_LEADS)
        delete_leads(actor=actor, library=lead.library, lead_ids=[lead.pk])
        return Response(status=204)


def _lead(request: Request, lead: Lead) -> dict[str, Any]:
    labels = labels_of([lead.pk]).get(lead.pk, [])
    if lacks_scope(request):
        return lead_json(lead, labels, OpenLead(lead.pk, withheld=True), lead.library)
    reveal = reads_clear(request) or request.query_params.get("reveal") == "1"
    detail = open_lead(actor=actor_of(request), lead=lead, reveal=reveal, purpose="api")
    return lead_json(lead, labels, detail.shown, lead.library)


class Restore(LeadsView):
    """Undoing a deletion."""

    can = Can.DELETE_LEADS

    @extend_schema(operation_id="leads_restore", request=None, responses=LeadShape)
    def post(self, request: Request, lead_id: int) -> Response:
        """Take the lead out of the trash."""
        actor = actor_of(request)
        lead = lead_of(actor, lead_id, can=Can.DELETE_LEADS, trashed=True)
        restore_leads(actor=actor, library=lead.library, lead_ids=[lead.pk])
        return Response(_lead(request, lead_of(actor, lead_id)))


class Bulk(LeadsView):
    """Many leads at once, all or none."""

    can = Can.WORK_LEADS

    @extend_schema(operation_id="leads_bulk", request=BulkBody, responses=Changed)
    def post(self, request: Request, library_id: int) -> Response:
        """Set, delete or restore the leads of `ids`, or those that `filter` matches now (at most 1,000), or resend
        what failed of them: `changed` then counts deliveries.
        """
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.WORK_LEADS, library)
        body = body_of(request, {"ids", "filter", "set", "delete", "restore", "resend"})
        acts = [name for name in ("set", "delete", "restore", "resend") if body.get(name)]
        if len(acts) != 1 or ("ids" in body) == ("filter" in body):
            raise Invalid({"body": _("Send ids or filter, and one of set, delete, restore, resend.")})
        lead_ids = _ids(request, library, body, trashed=acts == ["restore"])
        if acts == ["delete"]:
            require_fresh(request)
            changed = delete_leads(actor=actor, library=library, lead_ids=lead_ids)
        elif acts == ["restore"]:
            changed = restore_leads(actor=actor, library=library, lead_ids=lead_ids)
        elif acts == ["resend"]:
            sent = resend_failed(actor=actor, library=library, lead_ids=lead_ids)
            return Response({"changed": sent})
        else:
            wanted = body["set"] if isinstance(body["set"], dict) else {}
            changed = change_leads(actor=actor, library=library, lead_ids=lead_ids, change=change_of(wanted))
        return Response({"changed": len(changed)})


def _ids(request: Request, library: LeadLibrary, body: dict[str, Any], *, trashed: bool) -> list[int]:
    if "ids" in body:
        given = body["ids"] if isinstance(body["ids"], list) else []
        try:
            return list(dict.fromkeys(read_id(str(value)) for value in given))
        except ValueError as error:
            raise Invalid({"ids": str(error)}) from error
    actor = actor_of(request)
    selection = searchable(request, read_filter(library, body["filter"], actor=actor))
    if trashed:
        selection = replace(selection, state=Lead.State.TRASHED)
    return ids_of(actor=actor, library=library, selection=selection)


class Notes(LeadsView):
    """What the team wrote about a lead."""

    can_post = Can.WORK_LEADS

    @extend_schema(operation_id="leads_notes", responses=ResultsShape)
    def get(self, request: Request, lead_id: int) -> Response:
        """List the notes, oldest first."""
        lead, actor = lead_of(actor_of(request), lead_id), actor_of(request)
        notes = read_notes(lead, actor=actor, library=lead.library)
        names = names_of(note.author_id for note in notes)
        return Response({"results": [note_json(WrittenNote(note, names.get(note.author_id, ""))) for note in notes]})

    @extend_schema(operation_id="leads_notes_add", request=NoteBody, responses={201: ResultsShape})
    def post(self, request: Request, lead_id: int) -> Response:
        """Write a note."""
        actor = actor_of(request)
        lead = lead_of(actor, lead_id, can=Can.WORK_LEADS)
        text = body_of(request, {"text"}).get("text")
        if not isinstance(text, str):
            raise Invalid({"text": _("Must be text.")})
        note = add_note(actor=actor, lead=lead, text=text)
        author = {"id": str(actor.pk), "name": str(actor)}
        return Response({"id": str(note.pk), "author": author, "text": text.strip()}, status=201)


class Timeline(LeadsView):
    """What happened to a lead."""

    @extend_schema(operation_id="leads_timeline", responses=ResultsShape)
    def get(self, request: Request, lead_id: int) -> Response:
        """List it, newest first."""
        actor = actor_of(request)
        return Response({"results": [moment_json(moment) for moment in timeline_of(actor, lead_of(actor, lead_id))]})


class ConsentOfLead(LeadsView):
    """What the person saw and ticked."""

    @extend_schema(operation_id="leads_consent", responses=ConsentRecordShape)
    def get(self, request: Request, lead_id: int) -> Response:
        """Return the consent record, word for word; the look is recorded."""
        actor = actor_of(request)
        consent = read_consent(actor=actor, lead=lead_of(actor, lead_id))
        return Response(consent_json(consent) if consent else {"consents": []})


class TestLead(LeadsView):
    """A made-up person through a form: one at a time, flagged everywhere and in no count."""

    can = Can.WORK_LEADS
    can_get = Can.VIEW_LEADS
    can_delete = Can.DELETE_LEADS

    @property
    def shows_less(self) -> bool:
        """Only reading has a form without answers."""
        return self.request.method in ("GET", "HEAD")

    @extend_schema(operation_id="forms_test_lead_get", responses=LeadShape)
    def get(self, request: Request, form_id: int) -> Response:
        """Return the form's test lead."""
        form, actor = get_object_or_404(Form, pk=form_id), actor_of(request)
        require(actor, Can.VIEW_LEADS, LeadLibrary.objects.get(ad_account=form.ad_account_id))
        lead = tests_of(form).first()
        if lead is None:
            raise Http404
        return Response(_lead(request, lead_of(actor, lead.pk)))

    @extend_schema(operation_id="forms_test_lead_delete", responses={204: None})
    def delete(self, request: Request, form_id: int) -> Response:
        """Put it into the trash."""
        delete_test_lead(actor=actor_of(request), form=get_object_or_404(Form, pk=form_id))
        return Response(status=204)

    @extend_schema(operation_id="forms_test_lead", request=None, responses={201: LeadShape})
    def post(self, request: Request, form_id: int) -> Response:
        """Send a test lead through the published version; the one before goes into the trash."""
        form = get_object_or_404(Form, pk=form_id)
        lead = create_test_lead(actor=actor_of(request), form=form)
        return Response(_lead(request, lead_of(actor_of(request), lead.pk)), status=201)
