"""REST API of forms. Bodies: `serializers.py`; what may be in `content`: `forms_builder.schema`."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.models import AdAccount
from accounts.refusals import Invalid
from forms_builder import selectors, services
from forms_builder.models import Form, FormVersion
from forms_builder.serializers import FormBody, FormChange, FormPage, FormShape, VersionShape, form_json, version_json
from leadscenter.lib.paging import BadCursor, keyset_page, page_body


def form_of(form_id: int) -> Form:
    """Return the form or answer 404; who may see it is asked by the service or selector."""
    rows = Form.objects.select_related("ad_account__business_center", "ad_account__library", "published")
    return get_object_or_404(rows, pk=form_id, removed_at=None)


def body_of(request: Request, known: set[str]) -> dict[str, Any]:
    """Return the JSON object of a request; raises `Invalid` for anything else and for unknown fields."""
    data = request.data
    if not isinstance(data, dict):
        raise Invalid({"body": _("Send one JSON object.")})
    strange = {str(name)[:60]: _("Unknown field.") for name in data if name not in known}
    texts = {name: _("Must be text.") for name in known - {"content"} if not isinstance(data.get(name, ""), str)}
    if strange or texts:
        raise Invalid({name.encode("utf-8", "replace").decode(): text for name, text in (strange | texts).items()})
    return dict(data)


class AccountForms(APIView):
    """The forms of an ad account."""

    can = Can.VIEW_FORMS
    can_post = Can.EDIT_FORMS

    @extend_schema(operation_id="forms_list", responses=FormPage)
    def get(self, request: Request, ad_account_id: int) -> Response:
        """List the account's forms, newest first; `?status=` narrows."""
        account = get_object_or_404(AdAccount, pk=ad_account_id)
        require(actor_of(request), Can.VIEW_FORMS, account)
        rows = Form.objects.filter(ad_account=account, removed_at=None).select_related("published")
        if status := request.query_params.get("status"):
            if status not in Form.Status.values:
                raise Invalid({"status": _("One of %(known)s.") % {"known": ", ".join(Form.Status.values)}})
            rows = rows.filter(status=status)
        try:
            page = keyset_page(rows, order="-created_at", cursor=request.query_params.get("cursor"))
        except BadCursor as error:
            raise Invalid({"cursor": _("Not a cursor of this list.")}) from error
        drafts = selectors.drafts_of(page.rows)
        shown: list[object] = [form_json(form, drafts.get(form.pk), request) for form in page.rows]
        return Response(page_body(page, shown, absolute(request)))

    @extend_schema(operation_id="forms_create", request=FormBody, responses={201: FormShape})
    def post(self, request: Request, ad_account_id: int) -> Response:
        """Make a form with a draft."""
        account = get_object_or_404(AdAccount, pk=ad_account_id)
        body = body_of(request, {"name", "content", "language"})
        form = services.create_form(
            actor=actor_of(request),
            ad_account=account,
            name=body.get("name", ""),
            content=body.get("content"),
            language=body.get("language", "en"),
        )
        return Response(whole(form, request), status=201)


class OneForm(APIView):
    """A form with what it asks: the draft if there is one, else the published version."""

    can = Can.VIEW_FORMS
    can_patch = Can.EDIT_FORMS
    can_delete = Can.EDIT_FORMS

    @extend_schema(operation_id="forms_get", responses=FormShape)
    def get(self, request: Request, form_id: int) -> Response:
        """Return the form."""
        form = form_of(form_id)
        require(actor_of(request), Can.VIEW_FORMS, form.ad_account)
        return Response(whole(form, request))

    @extend_schema(operation_id="forms_change", request=FormChange, responses=FormShape)
    def patch(self, request: Request, form_id: int) -> Response:
        """Save into the draft; what is published stays as it is until the next publish."""
        form = form_of(form_id)
        body = body_of(request, {"name", "content", "language"})
        services.save_draft(
            actor=actor_of(request),
            form=form,
            content=body.get("content"),
            name=body.get("name"),
            language=body.get("language"),
        )
        return Response(whole(form_of(form_id), request))

    @extend_schema(operation_id="forms_delete", responses={204: None})
    def delete(self, request: Request, form_id: int) -> Response:
        """Delete the form; one with a history is archived instead, its leads and counts stay."""
        services.delete_form(actor=actor_of(request), form=form_of(form_id))
        return Response(status=204)


class Publish(APIView):
    """Publishing the draft."""

    can = Can.EDIT_FORMS

    @extend_schema(operation_id="forms_publish", request=None, responses=FormShape)
    def post(self, request: Request, form_id: int) -> Response:
        """Show the draft to people from now on."""
        services.publish(actor=actor_of(request), form=form_of(form_id))
        return Response(whole(form_of(form_id), request))


class Archive(APIView):
    """Closing a form."""

    can = Can.EDIT_FORMS

    @extend_schema(operation_id="forms_archive", request=None, responses=FormShape)
    def post(self, request: Request, form_id: int) -> Response:
        """Close the form; open pages may still send for 24 hours."""
        services.archive(actor=actor_of(request), form=form_of(form_id))
        return Response(whole(form_of(form_id), request))


class Restore(APIView):
    """Opening an archived form again."""

    can = Can.EDIT_FORMS

    @extend_schema(operation_id="forms_restore", request=None, responses=FormShape)
    def post(self, request: Request, form_id: int) -> Response:
        """Open the form again."""
        services.restore(actor=actor_of(request), form=form_of(form_id))
        return Response(whole(form_of(form_id), request))


class Duplicate(APIView):
    """Copying a form."""

    can = Can.EDIT_FORMS

    @extend_schema(operation_id="forms_duplicate", request=None, responses={201: FormShape})
    def post(self, request: Request, form_id: int) -> Response:
        """Make a new draft form that asks the same."""
        copy = services.duplicate(actor=actor_of(request), form=form_of(form_id))
        return Response(whole(form_of(copy.pk), request), status=201)


class Versions(APIView):
    """Every version of a form."""

    can = Can.VIEW_FORMS

    @extend_schema(operation_id="forms_versions", responses=VersionShape(many=True))
    def get(self, request: Request, form_id: int) -> Response:
        """List the versions, newest first, each with its content."""
        return Response(
            [version_json(version) for version in selectors.versions_of(actor_of(request), form_of(form_id))]
        )


class Approve(APIView):
    """The custodian's yes to a version that changes where data goes."""

    can = Can.MANAGE_PRIVACY

    @extend_schema(operation_id="forms_approve", request=None, responses=FormShape)
    def post(self, request: Request, form_id: int, number: int) -> Response:
        """Publish the waiting version."""
        services.approve(actor=actor_of(request), form=form_of(form_id), number=number)
        return Response(whole(form_of(form_id), request))


class Reject(APIView):
    """The custodian's no."""

    can = Can.MANAGE_PRIVACY

    @extend_schema(operation_id="forms_reject", request=None, responses=FormShape)
    def post(self, request: Request, form_id: int, number: int) -> Response:
        """Hand the waiting version back as a draft."""
        services.reject(actor=actor_of(request), form=form_of(form_id), number=number)
        return Response(whole(form_of(form_id), request))


def whole(form: Form, request: HttpRequest | Request) -> dict[str, Any]:
    """Return the form's JSON with its content."""
    draft: FormVersion | None = selectors.drafts_of([form]).get(form.pk)
    return form_json(form, draft, request, with_content=True)


def absolute(request: Request) -> str:
    """Return the request's own address."""
    address: str = request.build_absolute_uri()
    return address
