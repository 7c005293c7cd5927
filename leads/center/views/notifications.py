"""What one person is told: the bell, the list, and the settings of what is told where."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.declarations import public, signed_in
from accounts.models import User
from accounts.second_factor import lacking
from accounts.shell import shell
from accounts.views import person
from leads.center.notices import notices
from leads.center.selectors.notifications import COUNTED_AT_MOST, notification_page, unread_count, wishes_of
from leads.center.services.noticing import change_wishes, mark_read
from leads.selection import read_id
from leadscenter.lib.paging import BadCursor


@public
@never_cache
@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The bell with its number, fetched beside the page so that no page waits for it.

    Nothing where nobody is signed in, or somebody lacks a second factor: a piece of a page leads nowhere else.
    """
    if not isinstance(request.user, User) or lacking(request):
        return HttpResponse(status=204)
    count = unread_count(request.user)
    text = f"{count}+" if count == COUNTED_AT_MOST else str(count)
    return render(request, "leads/_bell.html", {"unread": count, "unread_text": text})


@signed_in
@never_cache
@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """List what the person was told, newest first."""
    actor, unread = person(request), request.GET.get("unread") == "1"
    try:
        page = notification_page(actor, cursor=request.GET.get("cursor") or None, unread=unread)
    except BadCursor:
        page = notification_page(actor, unread=unread)
    kept = "unread=1&" if unread else ""
    context = {
        "rows": notices(page.rows),
        "unread_only": unread,
        "before": f"?{kept}cursor={page.previous}" if page.previous else "",
        "after": f"?{kept}cursor={page.next}" if page.next else "",
        **shell(request, active="notifications"),
    }
    return render(request, "leads/notifications.html", context)


@signed_in
@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Take note of one notification (`id`), or of all."""
    ids = None
    if given := request.POST.get("id"):
        try:
            ids = [read_id(given)]
        except ValueError:
            ids = []
    mark_read(actor=person(request), ids=ids)
    return redirect("notifications")


@signed_in
def notification_settings(request: HttpRequest) -> HttpResponse:
    """Say what one is told of, in the app and by mail."""
    actor = person(request)
    if request.method == "POST":
        said = {
            wish.kind: (f"in_app_{wish.kind}" in request.POST, f"by_mail_{wish.kind}" in request.POST)
            for wish in wishes_of(actor)
        }
        change_wishes(actor=actor, wishes=said)
        messages.success(request, _("Saved."))
        return redirect("notification_settings")
    context = {"wishes": wishes_of(actor), **shell(request, active="notifications")}
    return render(request, "leads/notification_settings.html", context)
