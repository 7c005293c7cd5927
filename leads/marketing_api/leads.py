"""Single leads: the newest one of a page, and test leads."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.models import Act, LeadLibrary
from forms_builder.models import Form
from leads.center.disclosure import OpenLead, disclose
from leads.center.services.deleting import delete_leads
from leads.center.services.testing import create_test_lead
from leads.marketing_api.codes import Code, Failed
from leads.marketing_api.envelope import MarketingView, envelope
from leads.marketing_api.pages import field_name, form_of
from leads.marketing_api.parameters import bad, id_of, library_of, parameters, unix
from leads.models import Lead
from leads.vault.answers import Named

SOURCES = ("", "INSTANT_FORM")


def page_of(request: Request, can: Can) -> tuple[LeadLibrary, Form]:
    """Return library and form of a call about one page's leads; raise `Refused`, `Failed`."""
    given = parameters(request)
    if str(given.get("lead_source") or "") not in SOURCES:
        raise bad("lead_source", _("Only INSTANT_FORM is here."))
    library = library_of(given)
    require(actor_of(request), can, library)
    return library, form_of(given, library)


def newest(library: LeadLibrary, form: Form, *, is_test: bool | None = None) -> Lead:
    """Return the newest live lead of a form; raise `Failed` when there is none."""
    leads = Lead.objects.filter(library=library, form=form, state=Lead.State.LIVE)
    if is_test is not None:
        leads = leads.filter(is_test=is_test)
    lead = leads.order_by("-received_at", "-pk").first()
    if lead is None:
        raise Failed(Code.NOT_EXIST, _("This page has no lead yet."))
    return lead


def told(request: Request, library: LeadLibrary, lead: Lead) -> dict[str, Any]:
    """Open a lead for the caller and return it as this API tells it."""
    shown = disclose(
        [lead], actor=actor_of(request), library=library, act=Act.LEADS_READ, purpose="marketing_api", reveal=True
    )[0]
    answers = {field_name(answer.key, answer.label, answer.kind): answer.value for answer in shown.answers}
    return {"lead_data": answers, "meta_data": _meta(lead, shown)}


def _meta(lead: Lead, shown: OpenLead) -> dict[str, Any]:
    def named(kind: str, thing: Named | None) -> Mapping[str, str]:
        return {f"{kind}_id": str(thing.id) if thing else "", f"{kind}_name": thing.name if thing else ""}

    return {
        "lead_source": "INSTANT_FORM",
        "lead_id": str(lead.pk),
        "page_id": str(lead.form_id),
        "page_name": shown.form.name,
        **named("campaign", shown.campaign),
        **named("adgroup", shown.ad_group),
        **named("ad", shown.ad),
        "create_time": unix(lead.received_at),
        "is_test": lead.is_test,
    }


class LeadGet(MarketingView):
    """`/lead/get/`: one lead, the newest of a page."""

    can = Can.VIEW_LEADS

    def get(self, request: Request) -> Response:
        """Return it in clear; the look is recorded."""
        library, form = page_of(request, Can.VIEW_LEADS)
        return envelope(request, told(request, library, newest(library, form)))


class MockCreate(MarketingView):
    """`/page/lead/mock/create/`: one test lead per page."""

    can = Can.WORK_LEADS

    def post(self, request: Request) -> Response:
        """Send a test lead through the page, unless it has one."""
        library, form = page_of(request, Can.WORK_LEADS)
        tests = Lead.objects.filter(library=library, form=form, state=Lead.State.LIVE, is_test=True)
        if tests.exists():
            raise Failed(Code.WRITE_CONFLICT, _("This page has a test lead. Delete it first."))
        lead = create_test_lead(actor=actor_of(request), form=form)
        return envelope(request, told(request, library, lead))


class MockGet(MarketingView):
    """`/page/lead/mock/get/`: the test lead of a page."""

    can = Can.VIEW_LEADS

    def get(self, request: Request) -> Response:
        """Return it."""
        library, form = page_of(request, Can.VIEW_LEADS)
        return envelope(request, told(request, library, newest(library, form, is_test=True)))


class MockDelete(MarketingView):
    """`/page/lead/mock/delete/`: only ever a test lead."""

    can = Can.DELETE_LEADS

    def post(self, request: Request) -> Response:
        """Put the test lead into the trash."""
        given = parameters(request)
        library = library_of(given)
        require(actor_of(request), Can.DELETE_LEADS, library)
        wanted = Lead.objects.filter(library=library, pk=id_of(given, "lead_id") or 0, state=Lead.State.LIVE)
        lead = wanted.filter(is_test=True).first()
        if lead is None:
            raise Failed(Code.NOT_EXIST, _("There is no such test lead."))
        delete_leads(actor=actor_of(request), library=library, lead_ids=[lead.pk])
        return envelope(request)
