from django.urls import path

from campaigns import api

urlpatterns = [
    path("ad-accounts/<int:ad_account_id>/campaigns/", api.AccountCampaigns.as_view(), name="api_campaigns"),
    path("ad-accounts/<int:ad_account_id>/report/", api.AccountReport.as_view(), name="api_report"),
    path("campaigns/<int:campaign_id>/", api.OneCampaign.as_view(), name="api_campaign"),
    path("campaigns/<int:campaign_id>/ad-groups/", api.CampaignAdGroups.as_view(), name="api_ad_groups"),
    path("ad-groups/<int:ad_group_id>/", api.OneAdGroup.as_view(), name="api_ad_group"),
    path("ad-groups/<int:ad_group_id>/ads/", api.AdGroupAds.as_view(), name="api_ads"),
    path("ads/<int:ad_id>/", api.OneAd.as_view(), name="api_ad"),
]
