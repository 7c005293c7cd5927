"""How the console looks for one person: kept in the profile, and in a cookie for the pages before sign-in."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.declarations import public
from accounts.models import User

YEAR = 365 * 24 * 3600


@public
@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Store `theme` (system, light, dark), `density` (comfortable, compact) or `rail` (1: narrow sidebar).

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
    return response


def _remember(response: HttpResponse, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")


def _back(request: HttpRequest) -> str:
    where = request.POST.get("next", "/")
    allowed = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    return where if allowed else "/"
