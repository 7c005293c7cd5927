from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bench.models import PlainLead
from leads.models import Lead

site = admin.AdminSite(name="bench_admin")


@admin.register(PlainLead, site=site)
class PlainLeads(admin.ModelAdmin):  # type: ignore[type-arg]  # at run time it takes no argument
    """The peer of the list of leads: Django's own change list over the same leads in plain text."""

    list_display = ("name", "email", "phone", "form", "status", "received_at")
    list_filter = ("status",)
    search_fields = ("email", "name")
    ordering = ("-received_at",)
    list_per_page = 50


@admin.register(Lead, site=site)
class Leads(admin.ModelAdmin):  # type: ignore[type-arg]  # at run time it takes no argument
    """The same over the very table that the list of leads reads, through its index; without what people answered."""

    list_display = ("id", "form", "campaign", "assignee", "status", "region", "received_at")
    list_filter = ("status",)
    list_select_related = ("form", "campaign", "assignee")
    ordering = ("-received_at", "-pk")
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lead]:
        """Return the live leads of the account that was filled: the order then has its index."""
        leads: QuerySet[Lead] = super().get_queryset(request)
        return leads.filter(library_id=Lead.objects.values("library_id")[:1], state=Lead.State.LIVE)
