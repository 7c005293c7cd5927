"""Forms as this API knows them: pages of an advertiser, libraries, the fields of a page."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.declarations import SIGNED_IN
from accounts.models import BusinessCenter, LeadLibrary
from accounts.services.transfers import request_transfer
from forms_builder.models import Form
from forms_builder.schema import STANDARD_FIELDS
from leads.center.selectors.library import libraries_of
from leads.marketing_api.codes import Code, Failed
from leads.marketing_api.envelope import MarketingView, envelope
from leads.marketing_api.parameters import bad, id_of, library_of, number, parameters, time_range, unix

STATUSES = {"EDITED": Q(status=Form.Status.DRAFT), "PUBLISHED": Q(status=Form.Status.LIVE)}


def page_info(given: Mapping[str, Any], total: int) -> dict[str, int]:
    """Return which page was asked for and how many there are."""
    page = number(given, "page", least=1, most=100_000, default=1)
    size = number(given, "page_size", least=1, most=100, default=10)
    return {"page": page, "page_size": size, "total_number": total, "total_page": -(-total // size)}


class PageGet(MarketingView):
    """`/page/get/`: the forms of an advertiser."""

    can = Can.VIEW_FORMS

    def get(self, request: Request) -> Response:
        """List them, newest first."""
        given = parameters(request)
        library = library_of(given)
        require(actor_of(request), Can.VIEW_FORMS, library.ad_account)
        forms = _matching(given, library)
        info = page_info(given, forms.count())
        start = (info["page"] - 1) * info["page_size"]
        rows = forms.order_by("-created_at", "-pk")[start : start + info["page_size"]]
        return envelope(request, {"list": [_page(form, library) for form in rows], "page_info": info})


def _matching(given: Mapping[str, Any], library: LeadLibrary) -> QuerySet[Form]:
    forms = Form.objects.filter(ad_account_id=library.ad_account_id).exclude(status=Form.Status.ARCHIVED)
    if status := given.get("page_status") or given.get("status"):
        if status not in STATUSES:
            raise bad("page_status", _("Use EDITED or PUBLISHED."))
        forms = forms.filter(STATUSES[str(status)])
    if title := given.get("title"):
        forms = forms.filter(name__icontains=str(title)[:120])
    start, end = time_range(given, "update_time_range")
    if start:
        forms = forms.filter(created_at__gte=start)
    return forms.filter(created_at__lte=end) if end else forms


def _page(form: Form, library: LeadLibrary) -> dict[str, Any]:
    address = f"{settings.PUBLIC_URL}/f/{form.public_id}/"
    live = form.status == Form.Status.LIVE
    return {
        "page_id": str(form.pk),
        "title": form.name,
        "status": "PUBLISHED" if live else "EDITED",
        "business_type": "LEAD_GEN",
        "advertiser_id": str(library.ad_account_id),
        "library_id": str(library.pk),
        "publish_url": address if live else "",
        "preview_url": address if live else "",
        "create_time": unix(form.created_at),
        "update_time": unix(form.created_at),
    }


class LibraryGet(MarketingView):
    """`/page/library/get/`: the lead libraries that the caller belongs to."""

    declares = SIGNED_IN

    def get(self, request: Request) -> Response:
        """List them by name."""
        given = parameters(request)
        found = libraries_of(actor_of(request))
        info = page_info(given, len(found))
        start = (info["page"] - 1) * info["page_size"]
        rows = [
            {
                "library_id": str(library.pk),
                "library_name": library.ad_account.name,
                "advertiser_id": str(library.ad_account_id),
                "create_time": unix(library.created_at),
                "update_time": unix(library.created_at),
            }
            for library in found[start : start + info["page_size"]]
        ]
        return envelope(request, {"list": rows, "page_info": info})


class LibraryTransfer(MarketingView):
    """`/page/library/transfer/`: ask that a Business Center takes over the leads."""

    can = Can.HAND_OVER

    def post(self, request: Request) -> Response:
        """Make the request; an Admin of that Business Center decides."""
        given = parameters(request)
        library = library_of(given)
        require(actor_of(request), Can.HAND_OVER, library)
        center = BusinessCenter.objects.filter(pk=id_of(given, "bc_id") or 0).first()
        request_transfer(actor=actor_of(request), library=library, business_center=center)
        return envelope(request, {"library_id": str(library.pk)})


def form_of(given: Mapping[str, Any], library: LeadLibrary, name: str = "page_id") -> Form:
    """Return the form of this library that a parameter names; raise `Failed`."""
    form_id = id_of(given, name)
    if form_id is None:
        raise bad(name, _("Send the id of a page."))
    form = Form.objects.select_related("published").filter(pk=form_id, ad_account_id=library.ad_account_id).first()
    if form is None:
        raise Failed(Code.NOT_EXIST, _("There is no such page."))
    return form


class FieldGet(MarketingView):
    """`/page/field/get/` and `/lead/field/get/`: what a page asks."""

    can = Can.VIEW_FORMS

    def get(self, request: Request) -> Response:
        """Return the names under which answers are told."""
        given = parameters(request)
        library = library_of(given)
        require(actor_of(request), Can.VIEW_FORMS, library.ad_account)
        form = form_of(given, library)
        questions = form.published.content.get("questions", ()) if form.published else ()
        meta = {
            "page_id": str(form.pk),
            "page_name": form.name,
            "page_url": f"{settings.PUBLIC_URL}/f/{form.public_id}/",
            "create_time": unix(form.created_at),
        }
        fields = [field_name(question["key"], question["label"], question["kind"]) for question in questions]
        return envelope(request, {"fields": fields, "meta": meta})


def field_name(key: str, label: str, kind: str) -> str:
    """Return how an answer is named: a standard field by its key, a question of one's own by its words."""
    return key if kind in STANDARD_FIELDS else label
