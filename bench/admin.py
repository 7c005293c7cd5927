from django.contrib import admin

from bench.models import PlainLead

site = admin.AdminSite(name="bench_admin")


@admin.register(PlainLead, site=site)
class PlainLeads(admin.ModelAdmin):  # type: ignore[type-arg]  # at run time it takes no argument
    """The peer of the list of leads: Django's own change list over plain rows."""

    list_display = ("name", "email", "phone", "form", "status", "received_at")
    list_filter = ("status",)
    search_fields = ("email", "name")
    ordering = ("-received_at",)
    list_per_page = 50
