"""Pages about people and accounts: members, transfers, and short addresses to the last used account."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Can, is_of, refusal, require
from accounts.declarations import allows, signed_in
from accounts.freshness import fresh, fresh_post
from accounts.models import AccountRole, AdAccount, Invitation, Transfer, User
from accounts.refusals import Conflict, Invalid
from accounts.rosters import (
    asks_by,
    asks_for,
    centers_of,
    members_of,
    overseers_of,
    shares_of,
    transfers_of,
    waiting_invitations,
)
from accounts.selectors import memberships_of
from accounts.services.ad_accounts import add_member_by_email, set_member
from accounts.services.transfers import accept_transfer, cancel_transfer, is_party, reject_transfer
from accounts.shell import shell


def person(request: HttpRequest) -> User:
    """Return who is signed in; the middleware has sent everybody else to sign in."""
    assert isinstance(request.user, User)
    return request.user


def account_of(ad_account_id: int) -> AdAccount:
    """Return the ad account with what its pages need, or 404."""
    return get_object_or_404(
        AdAccount.objects.select_related("business_center", "library__custodian"), pk=ad_account_id
    )


@signed_in
@require_GET
def go(request: HttpRequest, place: str = "overview") -> HttpResponse:
    """Lead a short address (`/leads/`) to the same place of the last used account; without one, to what there is."""
    around = shell(request, active=place)["shell"]
    row = next((row for row in around.nav if row.key == place), None)
    if row is not None:
        return redirect(row.url)
    if any(transfer.may_answer for transfer in transfers_of(person(request))):
        return redirect("transfers")
    return render(request, "accounts/nothing.html", {"shell": around})


# ---- Members ---------------------------------------------------------------------------------------------------------


class MemberForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=AccountRole.choices, initial=AccountRole.OPERATOR)


@allows(Can.BELONG_ADACCOUNT, of="ad_account")
@fresh_post
def members(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """List who has a role in the ad account; POST gives somebody one."""
    account, actor = account_of(ad_account_id), person(request)
    rows = memberships_of(actor, account)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            role = AccountRole(form.cleaned_data["role"])
            made = add_member_by_email(actor=actor, ad_account=account, email=form.cleaned_data["email"], role=role)
        except Invalid as invalid:
            for field, text in invalid.errors.items():
                form.add_error(field if field in form.fields else None, text)
        except Conflict as conflict:
            form.add_error(None, conflict.detail)
        else:
            told = _("Member added. It works from now on.")
            if isinstance(made, Invitation):
                told = _("Invitation sent. It works once, within 7 days.")
            messages.success(request, told)
            return redirect("members", ad_account_id)
    own_side = is_of(actor, account)
    context = {
        "account": account,
        "members": members_of(rows, me=actor),
        "overseers": overseers_of(account) if own_side else (),
        "invitations": waiting_invitations(ad_account=account) if own_side else (),
        "shares": shares_of(account) if own_side else (),
        "own_side": own_side,
        "roles": AccountRole.choices,
        "form": form,
        **shell(request, ad_account=account, active="members"),
    }
    return render(request, "accounts/members.html", context, status=400 if form.errors else 200)


@allows(Can.MANAGE_MEMBERS, of="ad_account")
@require_POST
@fresh
def member(request: HttpRequest, ad_account_id: int, user_id: int) -> HttpResponse:
    """Change the role of a member, or end it with `role=none`."""
    account, actor = account_of(ad_account_id), person(request)
    require(actor, Can.MANAGE_MEMBERS, account)
    user = get_object_or_404(User, pk=user_id, account_memberships__ad_account=account)
    wanted = request.POST.get("role", "")
    if wanted not in (*AccountRole.values, "none"):
        raise Invalid({"role": _("Choose one of the roles.")})
    try:
        set_member(actor=actor, ad_account=account, user=user, role=None if wanted == "none" else AccountRole(wanted))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Role removed.") if wanted == "none" else _("Role changed. It works from now on."))
    return redirect("members", ad_account_id)


# ---- Transfers -------------------------------------------------------------------------------------------------------


@signed_in
@require_GET
def transfers(request: HttpRequest) -> HttpResponse:
    """List the transfers of leads access in which the person is a party."""
    rows, centers = transfers_of(person(request)), centers_of(person(request))
    context: dict[str, Any] = {
        "waiting": [row for row in rows if row.may_answer or row.may_cancel],
        "others": [row for row in rows if not (row.may_answer or row.may_cancel)],
        "centers": centers,
        "admin_of": [center for center in centers if center.is_admin],
        "asks": asks_for(person(request)),
        "asked": asks_by(person(request)),
        **shell(request, active="transfers"),
    }
    return render(request, "accounts/transfers.html", context)


ANSWERS = {
    "accept": (accept_transfer, gettext_lazy("Leads access is yours now. Confirm each CRM connection next.")),
    "reject": (reject_transfer, gettext_lazy("Transfer rejected. Nothing moved.")),
    "cancel": (cancel_transfer, gettext_lazy("Transfer cancelled. Nothing moved.")),
}


@signed_in
@require_POST
@fresh
def transfer_answer(request: HttpRequest, transfer_id: int, answer: str) -> HttpResponse:
    """Accept, reject or cancel a transfer; accepting asks for the account's name as it is written."""
    rows = Transfer.objects.select_related("library__ad_account", "from_business_center", "to_business_center")
    transfer = get_object_or_404(rows, pk=transfer_id)
    if not is_party(person(request), transfer):  # before the name is looked at: a stranger learns nothing
        raise refusal(person(request), Can.HAND_OVER, transfer.library, stranger=True)
    act, told = ANSWERS[answer]
    if answer == "accept" and request.POST.get("typed", "").strip() != transfer.library.ad_account.name:
        messages.error(request, _("The name was not typed as it stands there. Nothing was changed."))
        return redirect("transfer_page", transfer_id)
    try:
        act(actor=person(request), transfer=transfer)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, str(told))
    return redirect("transfer_page", transfer_id)
