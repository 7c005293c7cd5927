"""REST API of ad accounts, their members, and a Business Center's terms. Shapes: `serializers.py`.

Transfers stand in `leads.center`: what accepting one means is counted in leads, which this floor knows nothing of.
"""

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require, require_admin_of
from accounts.authentication import actor_of
from accounts.declarations import SIGNED_IN
from accounts.models import AccountMembership, AccountRole, AdAccount, BusinessCenter, Invitation, TermsAcceptance
from accounts.refusals import Conflict, Invalid
from accounts.selectors import ad_accounts_of, business_centers_of, memberships_of
from accounts.serializers import (
    AdAccountPage,
    AdAccountShape,
    BusinessCenterChange,
    BusinessCenterPage,
    BusinessCenterShape,
    InvitationShape,
    MemberChange,
    MemberPage,
    MemberShape,
    NewMember,
    TermsBody,
    TermsShape,
    ad_accounts_json,
    business_centers_json,
    invitation_json,
    member_json,
    terms_json,
)
from accounts.services.ad_accounts import add_member_by_email, set_member
from accounts.services.business_centers import accept_terms, set_two_factor_rule
from accounts.wire import CURSOR, json_object, listing, text_of


def account_of(ad_account_id: int) -> AdAccount:
    """Return the ad account or answer 404; who may see it is asked next."""
    rows = AdAccount.objects.select_related("business_center", "library__custodian")
    return get_object_or_404(rows, pk=ad_account_id)


def role_of(request: Request, known: set[str]) -> AccountRole:
    """Return the role that the body names; raises `Invalid`."""
    role = text_of(json_object(request, known), "role")
    if role not in AccountRole.values:
        raise Invalid({"role": _("One of %(known)s.") % {"known": ", ".join(AccountRole.values)}})
    return AccountRole(role)


class AdAccounts(APIView):
    """The ad accounts that the caller may know of."""

    declares = SIGNED_IN

    @extend_schema(operation_id="ad_accounts_list", responses=AdAccountPage, parameters=[CURSOR])
    def get(self, request: Request) -> Response:
        """List them, newest first, each with what the caller may do there."""
        actor = actor_of(request)
        return listing(request, ad_accounts_of(actor), lambda rows: ad_accounts_json(actor, rows))


class OneAdAccount(APIView):
    """An ad account."""

    can = Can.BELONG_ADACCOUNT

    @extend_schema(operation_id="ad_accounts_get", responses=AdAccountShape)
    def get(self, request: Request, ad_account_id: int) -> Response:
        """Return the ad account."""
        actor, account = actor_of(request), account_of(ad_account_id)
        require(actor, Can.BELONG_ADACCOUNT, account)
        return Response(ad_accounts_json(actor, [account])[0])


class Members(APIView):
    """Who has a role in an ad account."""

    fresh = ("post",)
    can = Can.BELONG_ADACCOUNT
    can_post = Can.MANAGE_MEMBERS

    @extend_schema(operation_id="members_list", responses=MemberPage, parameters=[CURSOR])
    def get(self, request: Request, ad_account_id: int) -> Response:
        """List the members, the newest first; for people with a role in the account and Admins of its owner."""
        rows = memberships_of(actor_of(request), account_of(ad_account_id))
        return listing(request, rows, lambda page: [member_json(row) for row in page])

    @extend_schema(operation_id="members_add", request=NewMember, responses={201: MemberShape, 202: InvitationShape})
    def post(self, request: Request, ad_account_id: int) -> Response:
        """Give a person a role, in force with their next request. Somebody who is not here yet is invited: 202."""
        actor, account = actor_of(request), account_of(ad_account_id)
        require(actor, Can.MANAGE_MEMBERS, account)
        role = role_of(request, {"email", "role"})
        email = text_of(json_object(request, {"email", "role"}), "email")
        made = add_member_by_email(actor=actor, ad_account=account, email=email, role=role)
        if isinstance(made, Invitation):
            return Response(invitation_json(made), status=202)
        return Response(member_json(membership_of(made.pk)), status=201)


def membership_of(member_id: int) -> AccountMembership:
    """Return the membership with its person and account, or answer 404."""
    return get_object_or_404(AccountMembership.objects.select_related("user", "ad_account"), pk=member_id)


class OneMember(APIView):
    """A person's role in an ad account."""

    fresh = ("patch", "delete")
    can = Can.MANAGE_MEMBERS

    @extend_schema(operation_id="members_change", request=MemberChange, responses=MemberShape)
    def patch(self, request: Request, member_id: int) -> Response:
        """Change the role. It works from their next request on; the last Administrator keeps theirs."""
        actor, membership = actor_of(request), membership_of(member_id)
        require(actor, Can.MANAGE_MEMBERS, membership.ad_account)
        role = role_of(request, {"role"})
        set_member(actor=actor, ad_account=membership.ad_account, user=membership.user, role=role)
        return Response(member_json(membership_of(member_id)))

    @extend_schema(operation_id="members_remove", responses={204: None})
    def delete(self, request: Request, member_id: int) -> Response:
        """Take the role away."""
        membership = membership_of(member_id)
        set_member(actor=actor_of(request), ad_account=membership.ad_account, user=membership.user, role=None)
        return Response(status=204)


class BusinessCenters(APIView):
    """The Business Centers that the caller is a member of."""

    declares = SIGNED_IN

    @extend_schema(operation_id="business_centers_list", responses=BusinessCenterPage, parameters=[CURSOR])
    def get(self, request: Request) -> Response:
        """List them, newest first, with the caller's role in each."""
        actor = actor_of(request)
        return listing(request, business_centers_of(actor), lambda rows: business_centers_json(actor, rows))


class OneBusinessCenter(APIView):
    """A Business Center."""

    declares = SIGNED_IN
    fresh = ("patch",)

    @extend_schema(operation_id="business_centers_change", request=BusinessCenterChange, responses=BusinessCenterShape)
    def patch(self, request: Request, business_center_id: int) -> Response:
        """Say, as an Admin, of whom it demands a second factor. It works from everybody's next request on."""
        actor, center = actor_of(request), get_object_or_404(BusinessCenter, pk=business_center_id)
        require_admin_of(actor, center)
        rule = text_of(json_object(request, {"two_factor"}), "two_factor")
        center = set_two_factor_rule(actor=actor, business_center=center, rule=rule)
        return Response(business_centers_json(actor, [center])[0])


class Terms(APIView):
    """The lead-generation terms of a Business Center."""

    declares = SIGNED_IN

    @extend_schema(operation_id="terms_get", responses=TermsShape)
    def get(self, request: Request, business_center_id: int) -> Response:
        """Return which version is in force and whether it is accepted; for the members."""
        center = get_object_or_404(business_centers_of(actor_of(request)), pk=business_center_id)
        return Response(terms_json(acceptance_of(center)))

    @extend_schema(operation_id="terms_accept", request=TermsBody, responses=TermsShape)
    def post(self, request: Request, business_center_id: int) -> Response:
        """Accept the version in force, as an Admin; needed before the first form is published."""
        center = get_object_or_404(BusinessCenter, pk=business_center_id)
        require_admin_of(actor_of(request), center)
        if text_of(json_object(request, {"version"}), "version") != settings.TERMS_VERSION:
            detail = _("The terms in force are %(version)s. Read them first.") % {"version": settings.TERMS_VERSION}
            raise Conflict("terms_version", detail)
        accept_terms(actor=actor_of(request), business_center=center)
        return Response(terms_json(acceptance_of(center)))


def acceptance_of(business_center: BusinessCenter) -> TermsAcceptance | None:
    """Return who accepted the terms in force for the Business Center, if somebody did."""
    found = TermsAcceptance.objects.filter(business_center=business_center, version=settings.TERMS_VERSION)
    return found.select_related("accepted_by").first()
