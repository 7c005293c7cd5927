"""Where leads go: connector cards, the form that adds one, its own page, and the log of every delivery."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Can, require
from accounts.declarations import allows
from accounts.freshness import fresh, fresh_post
from accounts.models import LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from accounts.shell import shell
from accounts.views import person
from leads.center.integrations import delivery_detail, log_of, pulses
from leads.center.selectors.library import library_of
from leads.crm.selectors import UNCONFIRMED, ConnectionRow, connection_row, connections_of
from leads.crm.services.connections import (
    Shown,
    change_connection,
    confirm_connection,
    create_connection,
    pause_connection,
    remove_connection,
    resume_connection,
    rotate_secret,
)
from leads.crm.services.deliveries import backfill, recover_since, resend_delivery
from leads.crm.services.testing import try_connection
from leads.models import Connection, Delivery
from leads.selection import read_id
from leadscenter.lib.paging import BadCursor

LATER = ("Salesforce", "Zoho", "Pipedrive", "Mailchimp", "ActiveCampaign", "Klaviyo", "Google Sheets", "Slack")
STATES = tuple((str(value), str(label)) for value, label in Delivery.State.choices)


class WebhookForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, initial="Webhook")
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy("https only. Each request is signed; you see the secret once, on the next page."),
        widget=forms.URLInput,
    )
    thin = forms.BooleanField(
        label=gettext_lazy("Send ids only"),
        required=False,
        help_text=gettext_lazy("The receiver then fetches the lead with a token: less of it travels."),
    )


class WebhookSettingsForm(WebhookForm):
    """What of a webhook can be changed later: all that it was made with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].help_text = _("https only. Another host or port gets a new secret; you see it once, next.")


class HubSpotForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, initial="HubSpot")
    token = forms.CharField(
        label=gettext_lazy("Access token"),
        max_length=4000,
        help_text=gettext_lazy("Of a private app with the scope crm.objects.contacts.write. Kept sealed, never shown."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


FORMS: dict[str, type[forms.Form]] = {
    Connection.Kind.WEBHOOK.value: WebhookForm,
    Connection.Kind.HUBSPOT.value: HubSpotForm,
}


@allows(Can.CONNECT_CRM, of="library")
@require_GET
def integrations(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show the connections and the log of what was handed to them."""
    library, actor = library_of(library_id), person(request)
    rows = connections_of(actor, library)
    beats = pulses(library)
    state = request.GET.get("state", "") if request.GET.get("state", "") in dict(STATES) else ""
    chosen = _chosen(request.GET.get("connection", ""), {row.id for row in rows})
    try:
        log = log_of(actor, library, connection_id=chosen, state=state, cursor=request.GET.get("cursor") or None)
    except BadCursor:
        log = log_of(actor, library, connection_id=chosen, state=state)
    query = request.GET.copy()
    query["cursor"] = log.older
    context = {
        "library": library,
        "cards": [(row, beats.get(row.id, ())) for row in rows],
        "kinds": Connection.Kind.choices,
        "unconfirmed": [row for row in rows if row.state == UNCONFIRMED],
        "unsent": sum(row.waiting for row in rows if row.state == UNCONFIRMED),
        "later": LATER,
        "log": log,
        "older": f"?{query.urlencode()}#log" if log.older else "",
        "states": STATES,
        "state": state,
        "chosen": chosen,
        "connections": rows,
        "first": "cursor" not in request.GET,
        **shell(request, library=library, active="integrations"),
    }
    return render(request, "leads/integrations.html", context)


def _chosen(text: str, known: set[int]) -> int | None:
    try:
        wanted = read_id(text)
    except ValueError:
        return None
    return wanted if wanted in known else None


@allows(Can.CONNECT_CRM, of="library")
@never_cache
@fresh
def connection_new(request: HttpRequest, library_id: int, kind: str) -> HttpResponse:
    """Connect a receiver; the answer to the post shows a webhook's secret, once."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.CONNECT_CRM, library)
    form = FORMS[kind](request.POST or None)
    shown: Shown | None = None
    if request.method == "POST" and form.is_valid():
        try:
            shown = _create(actor, library, kind, form.cleaned_data)
        except Invalid as invalid:
            _add_errors(form, invalid)
        else:
            if shown.secret is None:
                messages.success(request, _("Connected. Every new lead goes there from now on."))
                return redirect("connection", library_id, shown.connection.pk)
    context = {
        "library": library,
        "kind": kind,
        "kind_label": Connection.Kind(kind).label,
        "form": form,
        "shown": shown,
        **shell(request, library=library, active="integrations"),
    }
    return render(request, "leads/connection_new.html", context, status=400 if form.errors else 200)


def _create(actor: User, library: LeadLibrary, kind: str, data: dict[str, Any]) -> Shown:
    token = {"token": data["token"]} if "token" in data else None
    return create_connection(
        actor=actor,
        library=library,
        kind=kind,
        name=data["name"],
        url=data.get("url", ""),
        credentials=token,
        thin=data.get("thin", False),
    )


def _add_errors(form: forms.Form, invalid: Invalid) -> None:
    names = {"credentials": "token"}
    for field, text in invalid.errors.items():
        name = names.get(field, field)
        form.add_error(name if name in form.fields else None, text)


class MappingForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    lines = forms.CharField(
        label=gettext_lazy("Mapping"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One line each: answer key = property. Without lines the standard fields map themselves."
        ),
    )
    token = forms.CharField(
        label=gettext_lazy("New access token"),
        required=False,
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Only to replace the one that is kept."),
    )


@allows(Can.CONNECT_CRM, of="library")
@never_cache
@fresh_post
def connection(request: HttpRequest, library_id: int, connection_id: int) -> HttpResponse:
    """Show one connection with its settings; POST changes them."""
    library, actor = library_of(library_id), person(request)
    row = _row(actor, library_id, connection_id)
    form = _settings(row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            shown = change_connection(actor=actor, connection_id=connection_id, **_changes(row, form.cleaned_data))
        except Invalid as invalid:
            _add_errors(form, invalid)
        else:
            if shown.secret:
                return _secret_page(request, library, shown, moved=True)
            messages.success(request, _("Saved. Deliveries that are queued use it too."))
            return redirect("connection", library_id, connection_id)
    context = {
        "library": library,
        "row": row,
        "beats": pulses(library).get(row.id, ()),
        "form": form,
        **shell(request, library=library, active="integrations"),
    }
    return render(request, "leads/connection.html", context, status=400 if form.errors else 200)


def _row(actor: User, library_id: int, connection_id: int) -> ConnectionRow:
    """Return a connection of this library, which the page names; raise `Http404`, `Refused`."""
    get_object_or_404(Connection, pk=connection_id, library_id=library_id)
    return connection_row(actor, connection_id)


def _settings(row: ConnectionRow, posted: QueryDict | None) -> forms.Form:
    if row.kind == Connection.Kind.WEBHOOK:
        return WebhookSettingsForm(posted, initial={"name": row.name, "url": row.url, "thin": row.thin})
    lines = "\n".join(f"{line['from']} = {line['to']}" for line in row.mapping)
    return MappingForm(posted, initial={"name": row.name, "lines": lines})


def _changes(row: ConnectionRow, data: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {"name": data["name"]}
    changes |= {name: data[name] for name in ("url", "thin") if name in data and data[name] != getattr(row, name)}
    if "lines" in data:
        pairs = [line.split("=", 1) for line in data["lines"].splitlines() if line.strip()]
        changes["mapping"] = [{"from": pair[0].strip(), "to": (pair[1:] or [""])[0].strip()} for pair in pairs]
    if data.get("token"):
        changes["credentials"] = {"token": data["token"]}
    return changes


Told = tuple[bool, str]


def _pause(actor: User, pk: int) -> Told:
    pause_connection(actor=actor, connection_id=pk)
    return True, _("Paused. New leads wait here; none is lost.")


def _resume(actor: User, pk: int) -> Told:
    resume_connection(actor=actor, connection_id=pk)
    return True, _("Resumed. What waited goes out now.")


def _send(actor: User, pk: int) -> Told:
    confirm_connection(actor=actor, connection_id=pk, waiting="send")
    return True, _("Confirmed. What waited goes out now.")


def _drop(actor: User, pk: int) -> Told:
    confirm_connection(actor=actor, connection_id=pk, waiting="drop")
    return True, _("Confirmed. What waited was dropped; the leads stay here.")


def _backfill(actor: User, pk: int) -> Told:
    count = backfill(actor=actor, connection_id=pk)
    return True, _("%(n)s leads queued that this connection never had.") % {"n": count}


def _recover(actor: User, pk: int) -> Told:
    done = recover_since(actor=actor, connection_id=pk, since=timezone.now() - timedelta(days=7))
    return True, _("%(again)s failed deliveries of the last 7 days go again, %(new)s leads were added.") % {
        "again": done.resent,
        "new": done.queued,
    }


def _try(actor: User, pk: int) -> Told:
    tested = try_connection(actor=actor, connection_id=pk)
    if tested.ok:
        return True, _("It works: answered %(status)s in %(ms)s ms.") % {"status": tested.status_class, "ms": tested.ms}
    return False, f"{tested.cause} {tested.fix}"


ACTS: dict[str, Callable[[User, int], Told]] = {
    "pause": _pause,
    "resume": _resume,
    "confirm-send": _send,
    "confirm-drop": _drop,
    "backfill": _backfill,
    "recover": _recover,
    "test": _try,
}


@allows(Can.CONNECT_CRM, of="library")
@require_POST
@fresh
def connection_act(request: HttpRequest, library_id: int, connection_id: int, act: str) -> HttpResponse:
    """Do one thing to a connection and say how it went."""
    actor = person(request)
    row = _row(actor, library_id, connection_id)
    try:
        good, text = ACTS[act](actor, row.id)
    except Conflict as conflict:
        good, text = False, conflict.detail
    (messages.success if good else messages.error)(request, text)
    back = request.POST.get("next", "")
    here = f"/l/{library_id}/integrations/"
    return redirect(here if back == here else f"{here}{connection_id}/")


@allows(Can.CONNECT_CRM, of="library")
@never_cache
@require_POST
@fresh
def connection_secret(request: HttpRequest, library_id: int, connection_id: int) -> HttpResponse:
    """Make a new webhook secret and show it, once; the old one is valid for a day more."""
    library, actor = library_of(library_id), person(request)
    _row(actor, library_id, connection_id)
    shown = rotate_secret(actor=actor, connection_id=connection_id)
    return _secret_page(request, library, shown)


def _secret_page(request: HttpRequest, library: LeadLibrary, shown: Shown, *, moved: bool = False) -> HttpResponse:
    """Show a secret that took the place of another: at once where the address `moved`, else after a day."""
    context = {
        "library": library,
        "shown": shown,
        "rotated": True,
        "moved": moved,
        **shell(request, library=library, active="integrations"),
    }
    return render(request, "leads/connection_new.html", context)


@allows(Can.CONNECT_CRM, of="library")
@require_POST
@fresh
def connection_remove(request: HttpRequest, library_id: int, connection_id: int) -> HttpResponse:
    """End a connection; its name must be typed, since its secret is destroyed."""
    actor = person(request)
    row = _row(actor, library_id, connection_id)
    if request.POST.get("typed", "").strip() != row.name:
        messages.error(request, _("The name was not typed as it stands there. Nothing was changed."))
        return redirect("connection", library_id, connection_id)
    remove_connection(actor=actor, connection_id=connection_id)
    messages.success(request, _("Connection removed. Its secret is destroyed, its log stays."))
    return redirect("integrations", library_id)


@allows(Can.CONNECT_CRM, of="library")
@never_cache
@require_GET
def delivery(request: HttpRequest, library_id: int, delivery_id: int) -> HttpResponse:
    """Show one delivery: what happened, what we kept, what to do, and the request with its values masked."""
    return _delivery(request, library_id, delivery_id)


@allows(Can.CONNECT_CRM, of="library")
@never_cache
@require_POST
def delivery_answers(request: HttpRequest, library_id: int, delivery_id: int) -> HttpResponse:
    """Show one delivery with what the receiver answered, which may repeat contact details; the trail says who and
    when.
    """
    return _delivery(request, library_id, delivery_id, with_answers=True)


def _delivery(request: HttpRequest, library_id: int, delivery_id: int, *, with_answers: bool = False) -> HttpResponse:
    library, actor = library_of(library_id), person(request)
    get_object_or_404(Delivery, pk=delivery_id, library_id=library_id)
    detail = delivery_detail(actor, delivery_id, with_answers=with_answers)
    if getattr(request, "htmx", False):
        return render(request, "leads/_cause.html", {"detail": detail, "library": library})
    context = {"detail": detail, "library": library, **shell(request, library=library, active="integrations")}
    return render(request, "leads/delivery.html", context)


@allows(Can.CONNECT_CRM, of="library")
@require_POST
def delivery_resend(request: HttpRequest, library_id: int, delivery_id: int) -> HttpResponse:
    """Send one delivery again, now, under its old id."""
    get_object_or_404(Delivery, pk=delivery_id, library_id=library_id)
    try:
        resend_delivery(actor=person(request), delivery_id=delivery_id)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Queued again, under the same id: a receiver that has it already can tell."))
    return redirect("delivery", library_id, delivery_id)
