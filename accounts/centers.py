"""Pages of a Business Center: its people, ad accounts, and the accounts that are lent to it or that it lends."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.access import is_member, require_admin_of
from accounts.authentication import actor_of
from accounts.declarations import signed_in
from accounts.freshness import fresh, fresh_post
from accounts.models import (
    BusinessCenter,
    BusinessCenterRole,
    User,
)
from accounts.refusals import Conflict, Invalid
from accounts.rosters import centers_of, lent_to, members_of_center, waiting_invitations
from accounts.selectors import business_centers_of
from accounts.services.ad_accounts import create_ad_account
from accounts.services.business_centers import set_member, set_two_factor_rule
from accounts.services.inviting import invite_to_center
from accounts.shell import shell
from accounts.zones import ZONES

CURRENCIES = ("USD", "EUR", "GBP", "CHF", "SEK", "PLN", "CAD", "AUD", "JPY", "BRL", "INR", "MXN", "SGD", "AED")


class CenterMemberForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=BusinessCenterRole.choices, initial=BusinessCenterRole.STANDARD
    )


class NewAccountForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=[(code, code) for code in CURRENCIES])
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=[(name, name) for name in ZONES],
        initial="UTC",
    )


def center_of(actor: User, business_center_id: int) -> BusinessCenter:
    """Return a Business Center that the person belongs to, or 404."""
    return get_object_or_404(business_centers_of(actor), pk=business_center_id)


@signed_in
@require_GET
def centers(request: HttpRequest) -> HttpResponse:
    """List the person's Business Centers; lead to the only one."""
    rows = centers_of(actor_of(request))
    if len(rows) == 1:
        return redirect("center", rows[0].id)
    return render(request, "accounts/centers.html", {"centers": rows, **shell(request, active="centers")})


@signed_in
@fresh_post
def center(request: HttpRequest, business_center_id: int) -> HttpResponse:
    """Show the Business Center; POST invites somebody by mail."""
    actor = actor_of(request)
    found = center_of(actor, business_center_id)
    form = CenterMemberForm(request.POST or None)
    if request.method == "POST":
        require_admin_of(actor, found)
        if form.is_valid() and _invited(request, found, form):
            return redirect("center", found.pk)
    return _page(request, found, form=form)


def _invited(request: HttpRequest, found: BusinessCenter, form: CenterMemberForm) -> bool:
    try:
        invite_to_center(
            actor=actor_of(request),
            business_center=found,
            email=form.cleaned_data["email"],
            role=BusinessCenterRole(form.cleaned_data["role"]),
        )
    except Invalid as invalid:
        for field, text in invalid.errors.items():
            form.add_error(field if field in form.fields else None, text)
        return False
    except Conflict as conflict:
        form.add_error(None, conflict.detail)
        return False
    messages.success(request, _("Invitation sent. It works once, within 7 days."))
    return True


@signed_in
@require_POST
@fresh
def center_member(request: HttpRequest, business_center_id: int, user_id: int) -> HttpResponse:
    """Change what somebody is in the Business Center, or end it with `role=none`; its Admins do this."""
    actor = actor_of(request)
    found = center_of(actor, business_center_id)
    require_admin_of(actor, found)
    user = get_object_or_404(User, pk=user_id, business_center_memberships__business_center=found)
    wanted = request.POST.get("role", "")
    if wanted not in (*BusinessCenterRole.values, "none"):
        raise Invalid({"role": _("Choose one of the roles.")})
    try:
        role = None if wanted == "none" else BusinessCenterRole(wanted)
        set_member(actor=actor, business_center=found, user=user, role=role)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        told = _("Removed. It works from now on.") if wanted == "none" else _("Role changed. It works from now on.")
        messages.success(request, told)
    return redirect("center", found.pk) if is_member(actor, found) else redirect("centers")


@signed_in
@require_POST
@fresh
def new_account(request: HttpRequest, business_center_id: int) -> HttpResponse:
    """Make an ad account with its lead library; whoever makes it is its first Administrator."""
    actor = actor_of(request)
    found = center_of(actor, business_center_id)
    require_admin_of(actor, found)
    form = NewAccountForm(request.POST)
    if not form.is_valid():
        return _page(request, found, account_form=form)
    account = create_ad_account(actor=actor, business_center=found, administrator=actor, **form.cleaned_data)
    messages.success(request, _("Ad account made. You are its Administrator."))
    return redirect("members", account.pk)


@signed_in
@require_POST
@fresh
def two_factor(request: HttpRequest, business_center_id: int) -> HttpResponse:
    """Say who needs a second factor."""
    actor = actor_of(request)
    found = center_of(actor, business_center_id)
    set_two_factor_rule(actor=actor, business_center=found, rule=request.POST.get("two_factor", ""))
    messages.success(request, _("Changed. It works from now on."))
    return redirect("center", found.pk)


def _page(
    request: HttpRequest,
    found: BusinessCenter,
    *,
    form: CenterMemberForm | None = None,
    account_form: NewAccountForm | None = None,
) -> HttpResponse:
    actor = actor_of(request)
    faulty = bool((form and form.errors) or (account_form and account_form.errors))
    context: dict[str, Any] = {
        "center": found,
        "admin": is_member(actor, found, admin=True),
        "members": members_of_center(found, me=actor),
        "invitations": waiting_invitations(business_center=found),
        "accounts": found.ad_accounts.select_related("library__custodian").order_by("name", "pk"),
        "lent": lent_to(found),
        "roles": BusinessCenterRole.choices,
        "rules": BusinessCenter.TwoFactor.choices,
        "form": form or CenterMemberForm(),
        "account_form": account_form or NewAccountForm(),
        **shell(request, active="centers"),
    }
    return render(request, "accounts/center.html", context, status=400 if faulty else 200)
