"""What platform staff see of forms: that they exist, and counts."""

from django.contrib import admin

from accounts.staff_site import StaffAdmin, site
from forms_builder.models import Form, MeasureDay


@admin.register(Form, site=site)
class FormAdmin(StaffAdmin):
    """Forms; what they ask is their account's."""

    list_display = ("public_id", "name", "ad_account", "status", "created_at", "archived_at")
    list_filter = ("status",)
    list_select_related = ("ad_account",)
    search_fields = ("public_id", "name")
    fields = ("id", "public_id", "name", "ad_account", "status", "created_at", "archived_at")
    ordering = ("-id",)


@admin.register(MeasureDay, site=site)
class MeasureDayAdmin(StaffAdmin):
    """Counts per day: how often forms were opened, started and sent."""

    list_display = ("day", "form_id", "kind", "version", "count", "is_test")
    list_filter = ("kind", "is_test")
    fields = ("form_id", "version", "ad_id", "kind", "day", "is_test", "count")
    ordering = ("-id",)
