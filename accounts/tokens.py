"""The page of one's API tokens: what each may, until when, when it was last used, and ending it."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.authentication import TokenScope, actor_of
from accounts.declarations import signed_in
from accounts.freshness import fresh_post
from accounts.rosters import tokens_of
from accounts.services.tokens import create_token, revoke_token
from accounts.shell import shell

SCOPES = (
    (TokenScope.LEADS_READ, gettext_lazy("Read leads, with contact details")),
    (TokenScope.LEADS_WRITE, gettext_lazy("Work on leads: status, labels, notes; delete and restore")),
    (TokenScope.LEADS_DOWNLOAD, gettext_lazy("Ask for exports and download them")),
    (TokenScope.CAMPAIGNS_READ, gettext_lazy("Read campaigns and their numbers")),
    (TokenScope.CAMPAIGNS_WRITE, gettext_lazy("Create and edit campaigns")),
    (TokenScope.FORMS_READ, gettext_lazy("Read forms and their numbers")),
    (TokenScope.FORMS_WRITE, gettext_lazy("Create, edit and publish forms")),
    (TokenScope.CRM, gettext_lazy("Connect CRMs and read their delivery log")),
    (TokenScope.PRIVACY, gettext_lazy("Set how long leads are kept")),
    (TokenScope.TRAIL, gettext_lazy("Read the activity of lead libraries")),
    (TokenScope.ACCESS, gettext_lazy("Change members, and transfer leads access")),
    (TokenScope.EVERYTHING, gettext_lazy("Everything that I may, now and later")),
)
LIVES = (
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("A year")),
    ("never", gettext_lazy("Until I end it")),
)


class TokenForm(forms.Form):
    """What the token is for, may do, and how long it lives."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("What it is for, so that you can end it later."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may"),
        choices=[(str(scope), words) for scope, words in SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("At most what your role allows at the moment of use."),
    )
    life = forms.ChoiceField(label=gettext_lazy("It ends after"), choices=LIVES, initial="90")


@signed_in
@fresh_post
def tokens(request: HttpRequest) -> HttpResponse:
    """List the person's API tokens; POST makes one and shows its text, once, in the answer itself."""
    actor = actor_of(request)
    form = TokenForm(request.POST or None)
    raw = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        ends = None if given["life"] == "never" else timezone.now() + timedelta(days=int(given["life"]))
        _token, raw = create_token(user=actor, name=given["name"], scopes=given["scopes"], expires_at=ends)
        form = TokenForm()
    context = {
        "tokens": tokens_of(actor),
        "now": timezone.now(),
        "form": form,
        "raw": raw,
        **shell(request, active="api"),
    }
    return render(request, "accounts/tokens.html", context, status=400 if form.errors else 200)


@signed_in
@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of the person's own tokens at once. That asks for no fresh proof: it takes away and gives nothing."""
    if not revoke_token(actor=actor_of(request), token_id=token_id):
        raise Http404
    messages.success(request, _("Token ended. It is refused from now on."))
    return redirect("tokens")
