"""The JSON shapes of accounts, members and terms: described for the schema, written for the answers."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts.access import Can, grants_of
from accounts.models import (
    AccountMembership,
    AccountRole,
    AdAccount,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    Invitation,
    TermsAcceptance,
    User,
)


class NamedShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class PageShape(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class AdAccountShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    business_center = NamedShape(help_text="Who owns the ad account.")
    library_id = serializers.CharField()
    custodian = NamedShape(help_text="Who holds its leads; another than the owner after a transfer.")
    transferred = serializers.BooleanField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    role = serializers.ChoiceField(choices=AccountRole.choices, allow_null=True, help_text="The caller's own role.")
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=[str(can) for can in Can]),
        help_text="What the caller may now, on the ad account and its lead library.",
    )
    created_at = serializers.DateTimeField()


class AdAccountPage(PageShape):
    results = AdAccountShape(many=True)


class PersonShape(NamedShape):
    email = serializers.EmailField()


class MemberShape(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Of the membership.")
    ad_account = serializers.CharField()
    user = PersonShape()
    role = serializers.ChoiceField(choices=AccountRole.choices)
    created_at = serializers.DateTimeField()


class MemberPage(PageShape):
    results = MemberShape(many=True)


class NewMember(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=AccountRole.choices)


class MemberChange(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=AccountRole.choices)


class InvitationShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    email = serializers.EmailField()
    role = serializers.CharField(help_text="Of the ad account or of the Business Center.")
    state = serializers.ChoiceField(choices=Invitation.State.choices)
    invited_by = serializers.CharField(help_text="The person's name.")
    invited_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class InvitationPage(PageShape):
    results = InvitationShape(many=True)


class BusinessCenterShape(NamedShape):
    role = serializers.ChoiceField(choices=BusinessCenterRole.choices, help_text="The caller's own role.")
    two_factor = serializers.ChoiceField(
        choices=BusinessCenter.TwoFactor.choices, help_text="Of whom a second factor is demanded."
    )
    created_at = serializers.DateTimeField()


class BusinessCenterChange(serializers.Serializer[Any]):
    two_factor = serializers.ChoiceField(choices=BusinessCenter.TwoFactor.choices)


class BusinessCenterPage(PageShape):
    results = BusinessCenterShape(many=True)


class TermsShape(serializers.Serializer[Any]):
    version = serializers.CharField(help_text="The version in force.")
    accepted = serializers.BooleanField()
    accepted_by = serializers.CharField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)


class TermsBody(serializers.Serializer[Any]):
    version = serializers.CharField(help_text="The version that was read; must be the one in force.")


def named(thing: AdAccount | BusinessCenter) -> dict[str, str]:
    """Return {"id", "name"}."""
    return {"id": str(thing.pk), "name": thing.name}


def ad_accounts_json(actor: User, accounts: Sequence[AdAccount]) -> list[dict[str, Any]]:
    """Return the ad accounts as `actor` sees them; three queries, however many there are."""
    rights = grants_of(actor, accounts)
    roles = dict(
        AccountMembership.objects.filter(user=actor, ad_account__in=accounts).values_list("ad_account", "role")
    )
    return [
        {
            "id": str(account.pk),
            "name": account.name,
            "business_center": named(account.business_center),
            "library_id": str(account.library.pk),
            "custodian": named(account.library.custodian),
            "transferred": account.library.custodian_id != account.business_center_id,
            "currency": account.currency,
            "time_zone": account.time_zone,
            "role": roles.get(account.pk),
            "permissions": sorted(rights[account.pk]),
            "created_at": account.created_at,
        }
        for account in accounts
    ]


def member_json(membership: AccountMembership) -> dict[str, Any]:
    """Return a membership with its person."""
    user = membership.user
    return {
        "id": str(membership.pk),
        "ad_account": str(membership.ad_account_id),
        "user": {"id": str(user.pk), "name": user.name, "email": user.email},
        "role": membership.role,
        "created_at": membership.created_at,
    }


def invitation_json(row: Invitation) -> dict[str, Any]:
    """Return an invitation; its link is in the mail alone."""
    return {
        "id": str(row.pk),
        "email": row.email,
        "role": row.role,
        "state": row.state,
        "invited_by": str(row.invited_by),
        "invited_at": row.invited_at,
        "expires_at": row.expires_at,
    }


def business_centers_json(actor: User, centers: Sequence[BusinessCenter]) -> list[dict[str, Any]]:
    """Return the Business Centers with the role of `actor` in each."""
    roles = dict(
        BusinessCenterMember.objects.filter(user=actor, business_center__in=centers).values_list(
            "business_center", "role"
        )
    )
    return [
        {
            **named(center),
            "role": roles.get(center.pk),
            "two_factor": center.two_factor,
            "created_at": center.created_at,
        }
        for center in centers
    ]


def terms_json(acceptance: TermsAcceptance | None) -> dict[str, Any]:
    """Return the version in force and who accepted it."""
    return {
        "version": settings.TERMS_VERSION,
        "accepted": acceptance is not None,
        "accepted_by": str(acceptance.accepted_by) if acceptance else None,
        "accepted_at": acceptance.accepted_at if acceptance else None,
    }
