"""A test lead from the page of a form."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import Can, require
from accounts.declarations import allows
from accounts.refusals import Conflict
from accounts.views import person
from forms_builder.models import Form
from leads.center.selectors.library import library_of
from leads.center.services.testing import create_test_lead


@allows(Can.WORK_LEADS, of="library")
@require_POST
def test_lead(request: HttpRequest, library_id: int, form_id: int) -> HttpResponse:
    """Send a test lead through the form and show it; the one before goes into the trash."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.WORK_LEADS, library)
    form = get_object_or_404(Form, pk=form_id, ad_account=library.ad_account_id)
    try:
        lead = create_test_lead(actor=actor, form=form)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
        return redirect("form", library.ad_account_id, form_id)
    messages.success(request, _("A test lead went through the form. It is in no count; a new one takes its place."))
    return redirect("lead", library_id, lead.pk)
