"""What platform staff see of campaigns."""

from django.contrib import admin

from accounts.staff_site import StaffAdmin, site
from campaigns.models import Ad, AdGroup, Campaign


@admin.register(Campaign, site=site)
class CampaignAdmin(StaffAdmin):
    """Campaigns."""

    list_display = ("name", "ad_account", "status", "starts_on", "ends_on")
    list_filter = ("status",)
    list_select_related = ("ad_account",)
    fields = ("id", "name", "ad_account", "objective", "status", "starts_on", "ends_on", "created_at")
    ordering = ("-id",)


@admin.register(AdGroup, site=site)
class AdGroupAdmin(StaffAdmin):
    """Ad groups."""

    list_display = ("name", "campaign", "status")
    list_select_related = ("campaign",)
    fields = ("id", "name", "campaign", "status", "created_at")
    ordering = ("-id",)


@admin.register(Ad, site=site)
class AdAdmin(StaffAdmin):
    """Ads, with the public id of their link."""

    list_display = ("public_id", "name", "ad_group", "form", "status")
    list_select_related = ("ad_group", "form")
    search_fields = ("public_id",)
    fields = ("id", "public_id", "name", "ad_group", "form", "status", "created_at")
    ordering = ("-id",)
