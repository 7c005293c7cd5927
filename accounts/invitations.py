"""The page that an invitation's link opens: accept it, signed in or as somebody new."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.declarations import public
from accounts.models import AdAccount, Invitation, User
from accounts.refusals import Conflict, Invalid
from accounts.services.inviting import place_of, role_label, waiting_invitation
from accounts.services.joining import accept_invitation, join
from accounts.sign_in import sign_in_newcomer


class JoinForm(forms.Form):
    """What somebody new gives; the address is the invited one."""

    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=200,
        strip=False,
        help_text=gettext_lazy("At least 12 characters. Pasting is fine."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        """Apply the installation's rules for passwords."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


@public
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Say who invites whom into what; POST accepts. A dead link says the same whatever it was."""
    found = waiting_invitation(token)
    if found is None:
        return render(request, "accounts/invitation_gone.html", status=404)
    user = request.user if isinstance(request.user, User) else None
    form = JoinForm(request.POST or None) if user is None and not _known(found) else None
    if request.method == "POST":
        try:
            if user is not None:
                return _went_in(request, accept_invitation(actor=user, raw=token))
            if form is not None and form.is_valid():
                newcomer = join(raw=token, name=form.cleaned_data["name"], password=form.cleaned_data["password"])
                sign_in_newcomer(request, newcomer)
                return _went_in(request, found)
        except Invalid as invalid:
            messages.error(request, str(invalid))
        except Conflict:
            return render(request, "accounts/invitation_gone.html", status=404)
    context: dict[str, Any] = {
        "invitation": found,
        "place": place_of(found),
        "role": role_label(found),
        "mine": user is not None and user.email == found.email,
        "form": form,
    }
    return render(request, "accounts/invitation.html", context, status=400 if form and form.errors else 200)


def _known(found: Invitation) -> bool:
    return User.objects.filter(email=found.email).exists()


def _went_in(request: HttpRequest, found: Invitation) -> HttpResponse:
    place = place_of(found)
    messages.success(request, _("Welcome to %(name)s.") % {"name": place.name})
    return redirect("home") if isinstance(place, AdAccount) else redirect("center", place.pk)
