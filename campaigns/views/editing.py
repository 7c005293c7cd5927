"""Pages that make, change and delete campaigns, ad groups and ads, for Administrators and Operators."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.declarations import allows
from accounts.models import AdAccount
from accounts.refusals import Invalid
from campaigns import services
from campaigns.forms import AdForm, AdGroupForm, CampaignForm
from campaigns.views.reading import account_of, ad_of, around, campaign_of, group_of


def _edited(
    request: HttpRequest,
    account: AdAccount,
    form: forms.Form,
    *,
    title: str,
    back: str,
    save: Callable[[], Any],
    delete: str = "",
) -> HttpResponse:
    """Show a form, or save it and go `back`; what the service refuses stands at its field."""
    if request.method == "POST" and form.is_valid():
        try:
            save()
        except Invalid as invalid:
            for name, text in invalid.errors.items():
                form.add_error({"budget_cents": "budget"}.get(name, name) if name != "body" else None, text)
        else:
            messages.success(request, _("Saved."))
            return redirect(back)
    context = {"form": form, "title": title, "back": back, "delete": delete} | around(request, account)
    return render(request, "campaigns/edit.html", context, status=400 if form.errors else 200)


def _page_of(account: AdAccount, campaign_id: int) -> str:
    return reverse("campaign", args=[account.pk, campaign_id])


def _editable(request: HttpRequest, ad_account_id: int) -> AdAccount:
    account = account_of(ad_account_id)
    require(actor_of(request), Can.EDIT_CAMPAIGNS, account)
    return account


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_http_methods(["GET", "POST"])
def campaign_new(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """Make a campaign."""
    account, actor = _editable(request, ad_account_id), actor_of(request)
    initial = {"starts_on": timezone.now().date(), "budget_kind": "daily"}
    form = CampaignForm(request.POST or None, initial=initial)
    back = reverse("campaigns", args=[account.pk])

    def save() -> None:
        services.create_campaign(actor=actor, ad_account=account, plan=form.plan())

    return _edited(request, account, form, title=_("New campaign"), back=back, save=save)


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_http_methods(["GET", "POST"])
def campaign_edit(request: HttpRequest, ad_account_id: int, campaign_id: int) -> HttpResponse:
    """Change a campaign."""
    account, actor = _editable(request, ad_account_id), actor_of(request)
    found = campaign_of(account, campaign_id)
    form = CampaignForm(request.POST or None, initial=CampaignForm.of(found))

    def save() -> None:
        services.change_campaign(actor=actor, campaign=found, plan=form.plan())

    delete = reverse("campaign_delete", args=[account.pk, found.pk])
    return _edited(request, account, form, title=found.name, back=_page_of(account, found.pk), save=save, delete=delete)


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_http_methods(["GET", "POST"])
def group_new(request: HttpRequest, ad_account_id: int, campaign_id: int) -> HttpResponse:
    """Make an ad group."""
    account, actor = _editable(request, ad_account_id), actor_of(request)
    found = campaign_of(account, campaign_id)
    form = AdGroupForm(request.POST or None)

    def save() -> None:
        services.create_ad_group(actor=actor, campaign=found, **form.cleaned_data)

    return _edited(request, account, form, title=_("New ad group"), back=_page_of(account, found.pk), save=save)


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_http_methods(["GET", "POST"])
def group_edit(request: HttpRequest, ad_account_id: int, ad_group_id: int) -> HttpResponse:
    """Change an ad group."""
    account, actor = _editable(request, ad_account_id), actor_of(request)
    found = group_of(account, ad_group_id)
    form = AdGroupForm(request.POST or None, initial=AdGroupForm.of(found))

    def save() -> None:
        services.change_ad_group(actor=actor, ad_group=found, **form.cleaned_data)

    delete = reverse("ad_group_delete", args=[account.pk, found.pk])
    back = _page_of(account, found.campaign_id)
    return _edited(request, account, form, title=found.name, back=back, save=save, delete=delete)


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_http_methods(["GET", "POST"])
def ad_new(request: HttpRequest, ad_account_id: int, ad_group_id: int) -> HttpResponse:
    """Make an ad that opens a form."""
    account, actor = _editable(request, ad_account_id), actor_of(request)
    group = group_of(account, ad_group_id)
    form = AdForm(request.POST or None, ad_account=account)

    def save() -> None:
        services.create_ad(actor=actor, ad_group=group, creative=form.creative())

    back = _page_of(account, group.campaign_id)
    return _edited(request, account, form, title=_("New ad"), back=back, save=save)


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_http_methods(["GET", "POST"])
def ad_edit(request: HttpRequest, ad_account_id: int, ad_id: int) -> HttpResponse:
    """Change an ad."""
    account, actor = _editable(request, ad_account_id), actor_of(request)
    found = ad_of(account, ad_id)
    form = AdForm(request.POST or None, initial=AdForm.of(found), ad_account=account, kept=found.form_id)

    def save() -> None:
        services.change_ad(actor=actor, ad=found, creative=form.creative())

    delete = reverse("ad_delete", args=[account.pk, found.pk])
    back = _page_of(account, found.ad_group.campaign_id)
    return _edited(request, account, form, title=found.name, back=back, save=save, delete=delete)


def _deleted(request: HttpRequest, gone: bool) -> None:
    messages.success(request, _("Deleted.") if gone else _("Deleted. Its leads and counts stay."))


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_POST
def campaign_delete(request: HttpRequest, ad_account_id: int, campaign_id: int) -> HttpResponse:
    """Delete a campaign; one with ad groups is archived and hidden."""
    account = _editable(request, ad_account_id)
    found = campaign_of(account, campaign_id)
    _deleted(request, services.delete_campaign(actor=actor_of(request), campaign=found))
    return redirect("campaigns", account.pk)


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_POST
def group_delete(request: HttpRequest, ad_account_id: int, ad_group_id: int) -> HttpResponse:
    """Delete an ad group; one with ads is archived and hidden."""
    account = _editable(request, ad_account_id)
    found = group_of(account, ad_group_id)
    campaign_id = found.campaign_id
    _deleted(request, services.delete_ad_group(actor=actor_of(request), ad_group=found))
    return redirect("campaign", account.pk, campaign_id)


@allows(Can.EDIT_CAMPAIGNS, of="ad_account")
@require_POST
def ad_delete(request: HttpRequest, ad_account_id: int, ad_id: int) -> HttpResponse:
    """Delete an ad; one with a history is archived and hidden."""
    account = _editable(request, ad_account_id)
    found = ad_of(account, ad_id)
    campaign_id = found.ad_group.campaign_id
    _deleted(request, services.delete_ad(actor=actor_of(request), ad=found))
    return redirect("campaign", account.pk, campaign_id)
