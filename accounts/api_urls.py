from django.urls import path

from accounts import api, asks_api, sharing_api

urlpatterns = [
    path("ad-accounts/", api.AdAccounts.as_view(), name="api_ad_accounts"),
    path("ad-accounts/<int:ad_account_id>/", api.OneAdAccount.as_view(), name="api_ad_account"),
    path("ad-accounts/<int:ad_account_id>/members/", api.Members.as_view(), name="api_members"),
    path("members/<int:member_id>/", api.OneMember.as_view(), name="api_member"),
    path("business-centers/", api.BusinessCenters.as_view(), name="api_business_centers"),
    path(
        "business-centers/<int:business_center_id>/access-asks/",
        asks_api.CenterAsks.as_view(),
        name="api_center_access_asks",
    ),
    path("access-asks/", asks_api.AsksToAnswer.as_view(), name="api_access_asks"),
    path("access-asks/<int:ask_id>/dismiss/", asks_api.DismissAsk.as_view(), name="api_access_ask_dismiss"),
    path(
        "business-centers/<int:business_center_id>/members/",
        sharing_api.CenterMembers.as_view(),
        name="api_center_members",
    ),
    path(
        "business-centers/<int:business_center_id>/members/<int:user_id>/",
        sharing_api.OneCenterMember.as_view(),
        name="api_center_member",
    ),
    path(
        "business-centers/<int:business_center_id>/ad-accounts/",
        sharing_api.CenterAccounts.as_view(),
        name="api_center_accounts",
    ),
    path(
        "business-centers/<int:business_center_id>/invitations/",
        sharing_api.CenterInvitations.as_view(),
        name="api_center_invitations",
    ),
    path(
        "ad-accounts/<int:ad_account_id>/invitations/",
        sharing_api.AccountInvitations.as_view(),
        name="api_account_invitations",
    ),
    path("invitations/<int:invitation_id>/", sharing_api.OneInvitation.as_view(), name="api_invitation"),
    path("ad-accounts/<int:ad_account_id>/shares/", sharing_api.Shares.as_view(), name="api_shares"),
    path("shares/<int:share_id>/", sharing_api.OneShare.as_view(), name="api_share"),
    path("shares/<int:share_id>/people/", sharing_api.SharePeople.as_view(), name="api_share_people"),
    path("business-centers/<int:business_center_id>/", api.OneBusinessCenter.as_view(), name="api_business_center"),
    path("business-centers/<int:business_center_id>/terms/", api.Terms.as_view(), name="api_terms"),
]
