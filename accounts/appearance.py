"""How the console looks for one person: kept in the profile, and in a cookie for the pages before sign-in."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.authentication import actor_of
from accounts.declarations import public, signed_in
from accounts.models import User
from accounts.shell import shell
from accounts.zones import ZONES

YEAR = 365 * 24 * 3600
MOST_PUT_AWAY = 40


class TimeZoneForm(forms.Form):
    """The time zone of one person; none follows the ad account in view."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        choices=[("", gettext_lazy("That of the ad account in view")), *((name, name) for name in ZONES)],
        help_text=gettext_lazy("Moments are shown in it, and follow-ups set in it."),
        error_messages={"invalid_choice": gettext_lazy("Use the name of a time zone, such as Europe/Berlin.")},
    )


@signed_in
@require_http_methods(["GET", "POST"])
def time_zone(request: HttpRequest) -> HttpResponse:
    """Show in which time zone the person sees moments; POST takes another one, or none."""
    actor = actor_of(request)
    posted = request.POST if request.method == "POST" else None
    form = TimeZoneForm(posted, initial={"time_zone": actor.time_zone})
    if form.is_valid():
        User.objects.filter(pk=actor.pk).update(time_zone=form.cleaned_data["time_zone"])
        messages.success(request, _("Saved."))
        return redirect("time_zone")
    context = {"form": form, **shell(request, active="time_zone")}
    return render(request, "accounts/time_zone.html", context, status=400 if form.errors else 200)


@public
@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Store `theme` (system, light, dark), `density` (comfortable, compact), `rail` (1: narrow sidebar), or of which
    lead library the list of first steps is put away (`put_away`) and shown again (`show_again`).

    An unknown value changes nothing.

    A script gets 204; a plain form goes back to `next`.
    """
    theme, rail = request.POST.get("theme"), request.POST.get("rail")
    response: HttpResponse
    if request.headers.get("X-Requested-With") == "fetch":
        response = HttpResponse(status=204)
    else:
        response = HttpResponseRedirect(_back(request))
    if theme in User.Theme.values:
        if isinstance(request.user, User):
            User.objects.filter(pk=request.user.pk).update(theme=theme)
        _remember(response, "theme", theme, secure=request.is_secure())
    if request.POST.get("density") in User.Density.values and isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(density=request.POST["density"])
    if rail in ("0", "1"):
        _remember(response, "rail", rail, secure=request.is_secure())
    away, again = request.POST.get("put_away", ""), request.POST.get("show_again", "")
    if away or again:
        kept = [one for one in put_away(request) if one not in (away, again)]
        chosen = [*kept, *([away] if away.isascii() and away.isdigit() and len(away) < 20 else [])][-MOST_PUT_AWAY:]
        _remember(response, "steps", ".".join(chosen), secure=request.is_secure())
    return response


def put_away(request: HttpRequest) -> list[str]:
    """Return the ids of the lead libraries whose list of first steps the person has put away, in this browser."""
    said = request.COOKIES.get("steps", "").split(".")
    return [one for one in said if one.isascii() and one.isdigit() and len(one) < 20][-MOST_PUT_AWAY:]


def _remember(response: HttpResponse, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")


def _back(request: HttpRequest) -> str:
    where = request.POST.get("next", "/")
    allowed = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    return where if allowed else "/"
