from django.urls import path, register_converter

from accounts import asks, centers, sharing, views
from accounts.appearance import appearance, time_zone
from accounts.invitations import invitation
from accounts.security import passkeys, security, session_end, sessions_end
from accounts.terms import terms
from accounts.tokens import token_revoke, tokens


class AnswerConverter:
    regex = "accept|reject|cancel"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AnswerConverter, "answer")

SHORT = ("overview", "campaigns", "forms", "leads", "integrations", "exports", "activity")

urlpatterns = [
    path("", views.go, name="home"),
    *[path(f"{place}/", views.go, {"place": place}, name=f"go_{place}") for place in SHORT],
    path("a/<int:ad_account_id>/members/", views.members, name="members"),
    path("a/<int:ad_account_id>/members/<int:user_id>/", views.member, name="member"),
    path("a/<int:ad_account_id>/shares/", sharing.share_new, name="share_new"),
    path("shares/<int:share_id>/", sharing.share, name="share"),
    path("shares/<int:share_id>/people/", sharing.share_person, name="share_person"),
    path("invitations/<int:invitation_id>/revoke/", sharing.invitation_revoke, name="invitation_revoke"),
    path("invitation/<str:token>/", invitation, name="invitation"),
    path("b/", centers.centers, name="centers"),
    path("b/<int:business_center_id>/", centers.center, name="center"),
    path("b/<int:business_center_id>/ad-accounts/", centers.new_account, name="center_account_new"),
    path("b/<int:business_center_id>/two-factor/", centers.two_factor, name="center_two_factor"),
    path("b/<int:business_center_id>/members/<int:user_id>/", centers.center_member, name="center_member"),
    path("settings/security/", security, name="security"),
    path("settings/security/webauthn/", passkeys, name="passkeys"),
    path("settings/security/sessions/end/", sessions_end, name="sessions_end"),
    path("settings/security/sessions/<int:session_id>/end/", session_end, name="session_end"),
    path("settings/tokens/", tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke/", token_revoke, name="token_revoke"),
    path("settings/transfers/", views.transfers, name="transfers"),
    path("settings/transfers/<int:transfer_id>/<answer:answer>/", views.transfer_answer, name="transfer_answer"),
    path("settings/transfers/ask/", asks.ask, name="access_ask"),
    path("settings/transfers/asks/<int:ask_id>/dismiss/", asks.dismiss, name="access_ask_dismiss"),
    path("settings/terms/", terms, name="terms"),
    path("settings/appearance/", appearance, name="appearance"),
    path("settings/time-zone/", time_zone, name="time_zone"),
]
