"""REST API of Business Centers' people, invitations, and ad accounts lent to partners."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require, require_admin_of
from accounts.api import account_of, role_of
from accounts.authentication import actor_of
from accounts.declarations import SIGNED_IN
from accounts.models import (
    AccountMembership,
    AccountRole,
    AccountShare,
    AdAccount,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    Invitation,
    User,
)
from accounts.refusals import Invalid
from accounts.selectors import business_centers_of, shares_seen_by
from accounts.serializers import (
    AdAccountShape,
    InvitationPage,
    InvitationShape,
    NamedShape,
    PageShape,
    PersonShape,
    ad_accounts_json,
    invitation_json,
    named,
)
from accounts.services.ad_accounts import create_ad_account
from accounts.services.business_centers import set_member
from accounts.services.inviting import invite_to_center, revoke_invitation
from accounts.services.shares import end_share, give_role, require_party, set_leads_too, set_share_role, share_account
from accounts.wire import CURSOR, id_of, json_object, listing, text_of


class CenterMemberShape(serializers.Serializer[Any]):
    user = PersonShape()
    role = serializers.ChoiceField(choices=BusinessCenterRole.choices)
    created_at = serializers.DateTimeField()


class CenterMemberPage(PageShape):
    results = CenterMemberShape(many=True)


class CenterMemberChange(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=BusinessCenterRole.choices)


class NewAccount(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)


class NewCenterMember(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=BusinessCenterRole.choices)


class ShareShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    ad_account = NamedShape()
    business_center = NamedShape(help_text="The partner.")
    role = serializers.ChoiceField(choices=AccountRole.choices)
    leads_too = serializers.BooleanField(help_text="Whether the partner's Administrators reach the leads now.")
    created_at = serializers.DateTimeField()


class SharePage(PageShape):
    results = ShareShape(many=True)


class NewShare(serializers.Serializer[Any]):
    business_center_id = serializers.CharField(help_text="Of the partner.")
    role = serializers.ChoiceField(choices=AccountRole.choices)


class ShareChange(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=AccountRole.choices, required=False)
    leads_too = serializers.BooleanField(required=False)


class SharedPersonShape(serializers.Serializer[Any]):
    user = PersonShape()
    role = serializers.ChoiceField(choices=AccountRole.choices)


class SharedPeople(serializers.Serializer[Any]):
    results = SharedPersonShape(many=True)


class SharedPersonChange(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    role = serializers.ChoiceField(choices=AccountRole.choices, allow_null=True)


def center_of(request: Request, business_center_id: int) -> BusinessCenter:
    """Return a Business Center that the caller belongs to, or answer 404."""
    return get_object_or_404(business_centers_of(actor_of(request)), pk=business_center_id)


def share_json(share: AccountShare) -> dict[str, Any]:
    """Return a share with both sides; `leads_too` as it holds in the custody of now."""
    return {
        "id": str(share.pk),
        "ad_account": named(share.ad_account),
        "business_center": named(share.partner),
        "role": share.role,
        "leads_too": share.leads_too and share.leads_custody == share.ad_account.library.custody,
        "created_at": share.created_at,
    }


class CenterMembers(APIView):
    """The people of a Business Center."""

    fresh = ("post",)
    declares = SIGNED_IN

    @extend_schema(operation_id="center_members_list", responses=CenterMemberPage, parameters=[CURSOR])
    def get(self, request: Request, business_center_id: int) -> Response:
        """List them, the newest first; for its members."""
        rows = BusinessCenterMember.objects.filter(business_center=center_of(request, business_center_id))
        return listing(request, rows.select_related("user"), lambda page: [center_member_json(row) for row in page])

    @extend_schema(operation_id="center_members_invite", request=NewCenterMember, responses={202: InvitationShape})
    def post(self, request: Request, business_center_id: int) -> Response:
        """Invite somebody by mail, as an Admin; they belong to it when they accept."""
        center = center_of(request, business_center_id)
        require_admin_of(actor_of(request), center)
        body = json_object(request, {"email", "role"})
        role = center_role(body)
        made = invite_to_center(
            actor=actor_of(request), business_center=center, email=text_of(body, "email"), role=role
        )
        return Response(invitation_json(made), status=202)


def center_role(body: dict[str, Any]) -> BusinessCenterRole:
    """Return the role that the body names; raises `Invalid`."""
    role = text_of(body, "role")
    if role not in BusinessCenterRole.values:
        raise Invalid({"role": _("One of %(known)s.") % {"known": ", ".join(BusinessCenterRole.values)}})
    return BusinessCenterRole(role)


def center_member_json(row: BusinessCenterMember) -> dict[str, Any]:
    """Return a member of a Business Center."""
    return {"user": person_json(row.user), "role": row.role, "created_at": row.created_at}


def person_json(user: User) -> dict[str, str]:
    """Return {"id", "name", "email"}."""
    return {"id": str(user.pk), "name": user.name, "email": user.email}


class OneCenterMember(APIView):
    """What somebody is in a Business Center."""

    fresh = ("patch", "delete")
    declares = SIGNED_IN

    @extend_schema(operation_id="center_members_change", request=CenterMemberChange, responses=CenterMemberShape)
    def patch(self, request: Request, business_center_id: int, user_id: int) -> Response:
        """Change the role. It works from their next request on; the last Admin keeps theirs."""
        center = center_of(request, business_center_id)
        require_admin_of(actor_of(request), center)
        role = center_role(json_object(request, {"role"}))
        user = get_object_or_404(User, pk=user_id, business_center_memberships__business_center=center)
        member = set_member(actor=actor_of(request), business_center=center, user=user, role=role)
        assert member is not None
        return Response(center_member_json(BusinessCenterMember.objects.select_related("user").get(pk=member.pk)))

    @extend_schema(operation_id="center_members_remove", responses={204: None})
    def delete(self, request: Request, business_center_id: int, user_id: int) -> Response:
        """Take somebody out, with every role that the Business Center gave them."""
        center = center_of(request, business_center_id)
        require_admin_of(actor_of(request), center)
        user = get_object_or_404(User, pk=user_id, business_center_memberships__business_center=center)
        set_member(actor=actor_of(request), business_center=center, user=user, role=None)
        return Response(status=204)


class CenterAccounts(APIView):
    """The ad accounts that a Business Center owns."""

    fresh = ("post",)
    declares = SIGNED_IN

    @extend_schema(operation_id="center_ad_accounts_make", request=NewAccount, responses={201: AdAccountShape})
    def post(self, request: Request, business_center_id: int) -> Response:
        """Make an ad account with its lead library, as an Admin, who becomes its first Administrator."""
        actor, center = actor_of(request), center_of(request, business_center_id)
        require_admin_of(actor, center)
        name = text_of(json_object(request, {"name"}), "name")
        if not name or len(name) > 120:
            raise Invalid({"name": _("A name has 1 to 120 characters.")})
        made = create_ad_account(actor=actor, business_center=center, name=name, administrator=actor)
        return Response(ad_accounts_json(actor, [account_of(made.pk)])[0], status=201)


class CenterInvitations(APIView):
    """Invitations into a Business Center."""

    declares = SIGNED_IN

    @extend_schema(operation_id="center_invitations_list", responses=InvitationPage, parameters=[CURSOR])
    def get(self, request: Request, business_center_id: int) -> Response:
        """List them, the newest first; for its Admins."""
        center = center_of(request, business_center_id)
        require_admin_of(actor_of(request), center)
        return invitations(request, business_center=center)


class AccountInvitations(APIView):
    """Invitations into an ad account."""

    can = Can.MANAGE_MEMBERS

    @extend_schema(operation_id="account_invitations_list", responses=InvitationPage, parameters=[CURSOR])
    def get(self, request: Request, ad_account_id: int) -> Response:
        """List them, the newest first; for whoever manages its members."""
        account = account_of(ad_account_id)
        require(actor_of(request), Can.MANAGE_MEMBERS, account)
        return invitations(request, ad_account=account)


def invitations(request: Request, **place: AdAccount | BusinessCenter) -> Response:
    """Return a page of the invitations into one place."""
    rows = Invitation.objects.filter(**place).select_related("invited_by")
    return listing(request, rows, lambda page: [invitation_json(row) for row in page], order="-invited_at")


class OneInvitation(APIView):
    """An invitation."""

    declares = SIGNED_IN

    @extend_schema(operation_id="invitations_revoke", responses={204: None})
    def delete(self, request: Request, invitation_id: int) -> Response:
        """Take it back; its link is dead."""
        rows = Invitation.objects.select_related("ad_account__business_center", "business_center")
        revoke_invitation(actor=actor_of(request), invitation=get_object_or_404(rows, pk=invitation_id))
        return Response(status=204)


class Shares(APIView):
    """To whom an ad account is lent."""

    fresh = ("post",)
    can = Can.MANAGE_MEMBERS

    @extend_schema(operation_id="shares_list", responses=SharePage, parameters=[CURSOR])
    def get(self, request: Request, ad_account_id: int) -> Response:
        """List the shares, the newest first."""
        account = account_of(ad_account_id)
        require(actor_of(request), Can.MANAGE_MEMBERS, account)
        rows = AccountShare.objects.filter(ad_account=account).select_related("ad_account__library", "partner")
        return listing(request, rows, lambda page: [share_json(row) for row in page])

    @extend_schema(operation_id="shares_make", request=NewShare, responses={201: ShareShape})
    def post(self, request: Request, ad_account_id: int) -> Response:
        """Lend the account to a partner, without leads. It works from the next request of its Admins on."""
        account, actor = account_of(ad_account_id), actor_of(request)
        require(actor, Can.MANAGE_MEMBERS, account)
        body = json_object(request, {"business_center_id", "role"})
        partner = BusinessCenter.objects.filter(pk=id_of(body, "business_center_id")).first()
        role = role_of(request, {"business_center_id", "role"})
        made = share_account(actor=actor, ad_account=account, partner=partner, role=role)
        return Response(share_json(made), status=201)


def share_of(request: Request, share_id: int) -> AccountShare:
    """Return a share of which the caller is a party, or answer 404."""
    rows = shares_seen_by(actor_of(request))
    return get_object_or_404(
        rows.select_related("ad_account__business_center", "ad_account__library", "partner"), pk=share_id
    )


class OneShare(APIView):
    """A share: an ad account lent to a partner."""

    fresh = ("patch", "delete")
    declares = SIGNED_IN

    @extend_schema(operation_id="shares_get", responses=ShareShape)
    def get(self, request: Request, share_id: int) -> Response:
        """Return the share; for both sides."""
        return Response(share_json(share_of(request, share_id)))

    @extend_schema(operation_id="shares_change", request=ShareChange, responses=ShareShape)
    def patch(self, request: Request, share_id: int) -> Response:
        """Change the role, or switch leads on or off. It works from the next request on."""
        actor, share = actor_of(request), share_of(request, share_id)
        require_party(actor, share)
        body = json_object(request, {"role", "leads_too"})
        leads_too = body.get("leads_too")
        if "leads_too" in body and not isinstance(leads_too, bool):
            raise Invalid({"leads_too": _("true or false.")})
        if "role" in body:
            set_share_role(actor=actor, share=share, role=role_of(request, {"role", "leads_too"}))
        if isinstance(leads_too, bool):
            set_leads_too(actor=actor, share=share, leads_too=leads_too)
        return Response(share_json(share_of(request, share_id)))

    @extend_schema(operation_id="shares_end", responses={204: None})
    def delete(self, request: Request, share_id: int) -> Response:
        """Take the account back, or give it back as the partner."""
        end_share(actor=actor_of(request), share=share_of(request, share_id))
        return Response(status=204)


class SharePeople(APIView):
    """The partner's people who work in a lent account."""

    fresh = ("post",)
    declares = SIGNED_IN

    @extend_schema(operation_id="share_people_list", responses=SharedPeople)
    def get(self, request: Request, share_id: int) -> Response:
        """List those who were given a role; the partner's Admins hold the share's role besides."""
        rows = AccountMembership.objects.filter(share=share_of(request, share_id)).select_related("user")
        people = [{"user": person_json(row.user), "role": row.role} for row in rows.order_by("user__name", "pk")]
        return Response({"results": people})

    @extend_schema(operation_id="share_people_set", request=SharedPersonChange, responses=SharedPeople)
    def post(self, request: Request, share_id: int) -> Response:
        """Give one of the partner's people a role, or take it away (null); for the partner's Admins."""
        actor, share = actor_of(request), share_of(request, share_id)
        require_party(actor, share, partner_only=True)
        body = json_object(request, {"user_id", "role"})
        user = User.objects.filter(
            pk=id_of(body, "user_id"), business_center_memberships__business_center=share.partner
        )
        person = user.first()
        if person is None:
            raise Invalid(
                {"user_id": _("Only members of %(name)s can be given a role.") % {"name": share.partner.name}}
            )
        role = None if body.get("role") is None else role_of(request, {"user_id", "role"})
        give_role(actor=actor, share=share, user=person, role=role)
        return self.get(request, share_id)
