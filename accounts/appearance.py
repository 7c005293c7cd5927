"""How the console looks for one person: kept in the profile, and in a cookie for the pages before sign-in."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.declarations import public
from accounts.models import User

YEAR = 365 * 24 * 3600
MOST_PUT_AWAY = 40


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
