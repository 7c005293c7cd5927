"""What platform staff see of leads: how many there are, and how their jobs fare. Never a lead."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.authentication import actor_of
from accounts.models import LeadLibrary
from accounts.staff_site import MANY, StaffAdmin, site
from leads.crm.services.operating import pause_as_staff, requeue_as_staff
from leads.models import Connection, Delivery, Export, Lead


@admin.register(LeadLibrary, site=site)
class LeadLibraryAdmin(StaffAdmin):
    """Lead libraries: who holds them, how long they keep, how many leads they hold."""

    list_display = ("id", "ad_account", "custodian", "custody", "retention_days", "created_at")
    list_select_related = ("ad_account", "custodian")
    fields = ("id", "ad_account", "custodian", "custody", "retention_days", "leads_held", "created_at")
    readonly_fields = ("leads_held",)
    ordering = ("-id",)

    @admin.display(description=_("Leads held"))
    def leads_held(self, library: LeadLibrary) -> str:
        """Return how many leads are live, counted up to a bound."""
        number = Lead.objects.filter(library=library, state=Lead.State.LIVE)[: MANY + 1].count()
        return f"{MANY:,}+" if number > MANY else f"{number:,}"


@admin.register(Connection, site=site)
class ConnectionAdmin(StaffAdmin):
    """CRM connections: the host alone, since a webhook's address may hold a secret."""

    list_display = ("id", "library", "kind", "host", "state", "custody", "last_success_at", "first_failure_at")
    list_filter = ("state", "kind")
    list_select_related = ("library",)
    fields = (
        *("id", "library", "kind", "host", "state", "state_reason", "custody", "created_at", "removed_at"),
        *("last_success_at", "first_failure_at", "open_until", "recent_attempts", "recent_failures"),
    )
    readonly_fields = ("host",)
    ordering = ("-id",)
    actions = ("pause",)

    @admin.display(description=_("Host"))
    def host(self, connection: Connection) -> str:
        """Return the host that leads are sent to."""
        return urlsplit(connection.url).hostname or ""

    @admin.action(description=_("Pause: deliveries wait until the library's people resume it"))
    def pause(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        """Pause connections."""
        done = [
            pause_as_staff(actor=actor_of(request), connection_id=pk) for pk in queryset.values_list("pk", flat=True)
        ]
        text = ngettext("%(n)d connection was paused.", "%(n)d connections were paused.", sum(done))
        self.told(request, text % {"n": sum(done)})


@admin.register(Delivery, site=site)
class DeliveryAdmin(StaffAdmin):
    """The outbox."""

    list_display = ("id", "connection", "state", "attempts", "due_at", "created_at", "settled_at")
    list_filter = ("state",)
    list_select_related = ("connection",)
    fields = (
        *("id", "connection", "state", "attempts", "lease", "leases_unanswered"),
        *("due_at", "created_at", "settled_at"),
    )
    ordering = ("-id",)
    actions = ("requeue",)

    @admin.action(description=_("Try failed deliveries again"))
    def requeue(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Queue failed deliveries again."""
        done = requeue_as_staff(actor=actor_of(request), delivery_ids=queryset.values_list("pk", flat=True))
        text = ngettext("%(n)d delivery was queued again.", "%(n)d deliveries were queued again.", done)
        self.told(request, text % {"n": done})


@admin.register(Export, site=site)
class ExportAdmin(StaffAdmin):
    """Exports in the making; files are downloaded by the library's people alone."""

    list_display: Any = ("id", "library", "format", "state", "rows", "total", "requested_at", "finished_at")
    list_filter = ("state", "format")
    list_select_related = ("library",)
    fields = (
        *("id", "library", "custody", "format", "state", "failure", "rows", "total", "bytes_written"),
        *("requested_at", "due_at", "lease", "finished_at", "expires_at"),
    )
    ordering = ("-id",)
