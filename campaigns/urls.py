from django.urls import path

from campaigns.views import editing, link, reading

A = "a/<int:ad_account_id>/"

urlpatterns = [
    path("go/<str:public_id>/", link.go, name="ad_link"),
    path(A + "campaigns/", reading.campaigns, name="campaigns"),
    path(A + "campaigns/new/", editing.campaign_new, name="campaign_new"),
    path(A + "campaigns/<int:campaign_id>/", reading.campaign, name="campaign"),
    path(A + "campaigns/<int:campaign_id>/edit/", editing.campaign_edit, name="campaign_edit"),
    path(A + "campaigns/<int:campaign_id>/delete/", editing.campaign_delete, name="campaign_delete"),
    path(A + "campaigns/<int:campaign_id>/ad-groups/new/", editing.group_new, name="ad_group_new"),
    path(A + "ad-groups/<int:ad_group_id>/edit/", editing.group_edit, name="ad_group_edit"),
    path(A + "ad-groups/<int:ad_group_id>/delete/", editing.group_delete, name="ad_group_delete"),
    path(A + "ad-groups/<int:ad_group_id>/ads/new/", editing.ad_new, name="ad_new"),
    path(A + "ads/<int:ad_id>/edit/", editing.ad_edit, name="ad_edit"),
    path(A + "ads/<int:ad_id>/delete/", editing.ad_delete, name="ad_delete"),
]
