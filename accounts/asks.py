"""What a brand does on the page of transfers to get the leads of an account that it knows, and what becomes of it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.access import Can, require_admin_of
from accounts.declarations import allows, signed_in
from accounts.models import AccessAsk, BusinessCenter
from accounts.refusals import Conflict
from accounts.services.asking import ask_for_access, dismiss_ask
from accounts.views import person
from leadscenter.lib.ids import id_in
from leadscenter.lib.paging import ID_LIMIT

TOLD = gettext_lazy(
    "Sent. If there is an ad account with this number, those who may hand over its leads get a mail with your request."
)


class AskForm(forms.Form):
    number = forms.RegexField(r"^[0-9]{1,19}$", strip=True)

    def clean_number(self) -> int:
        """Return the number, if it can be one of an ad account."""
        number = int(self.cleaned_data["number"])
        if number >= ID_LIMIT:
            raise forms.ValidationError(_("Too large."))
        return number


@signed_in
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the leads of an ad account by its number. What comes back is the same whether there is one or not."""
    try:
        chosen = id_in(request.POST.get("business_center", ""))
    except ValueError as error:
        raise Http404 from error
    center = get_object_or_404(BusinessCenter, pk=chosen)
    require_admin_of(person(request), center, Can.HAND_OVER)
    form = AskForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The number of an ad account has only digits. Nothing was sent."))
        return redirect("transfers")
    number: Any = form.cleaned_data["number"]
    try:
        ask_for_access(actor=person(request), business_center=center, ad_account_number=number)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, str(TOLD))
    return redirect("transfers")


@allows(Can.HAND_OVER, of="library")
@require_POST
def dismiss(request: HttpRequest, ask_id: int) -> HttpResponse:
    """Let an ask rest; who asked is not told."""
    found = get_object_or_404(AccessAsk.objects.select_related("library__ad_account"), pk=ask_id)
    if found.library is None:
        raise Http404
    try:
        dismiss_ask(actor=person(request), ask=found)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Dismissed. Who asked is not told, and can ask again after 30 days."))
    return redirect("transfers")
