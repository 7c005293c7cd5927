"""What a transfer of leads access means, in numbers: for the person who decides it, before and after.

Accepting writes none of this (`accounts.services.transfers`): whatever carries an older custody simply stops working.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Least, Now
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from accounts.models import (
    AccountMembership,
    AccountRole,
    BusinessCenterMember,
    BusinessCenterRole,
    Transfer,
    User,
)
from accounts.selectors import transfers_of_party
from accounts.serializers import NamedShape, PageShape, named
from leads.center.selectors.counting import TESTS
from leads.center.selectors.library import COUNTED_AT_MOST
from leads.models import Connection, Delivery, Export, Lead

STAYS = ("campaigns", "forms", "aggregate_counts")
"""What the owner of the ad account keeps, whoever holds the leads."""


class ConsequencesShape(serializers.Serializer[Any]):
    leads = serializers.IntegerField(
        help_text="Leads that change hands, those in the trash included, without tests; counted up to 10,001."
    )
    connections_suspended = serializers.IntegerField(help_text="They deliver again when the new holder confirms each.")
    deliveries_waiting = serializers.IntegerField(
        help_text="Queued on those connections, kept until then; counted up to 10,001 on each."
    )
    exports_ended = serializers.IntegerField(help_text="Running ones stop, finished files and their links are dead.")
    people_losing_access = serializers.IntegerField()
    people_gaining_access = serializers.IntegerField()
    stays_with_owner = serializers.ListField(child=serializers.ChoiceField(choices=STAYS))


TransferShape = inline_serializer(  # a function, since "from" cannot be the name of a class attribute
    "TransferShape",
    {
        "id": serializers.CharField(),
        "state": serializers.ChoiceField(choices=Transfer.State.choices),
        "library_id": serializers.CharField(),
        "ad_account": NamedShape(),
        "from": NamedShape(),
        "to": NamedShape(),
        "requested_by": serializers.CharField(help_text="The person's name."),
        "requested_at": serializers.DateTimeField(),
        "expires_at": serializers.DateTimeField(),
        "decided_at": serializers.DateTimeField(allow_null=True),
        "consequences": ConsequencesShape(help_text="As of now while it is open, as of the decision afterwards."),
    },
)


class TransferPage(PageShape):
    results = serializers.ListField(child=TransferShape)


class TransferBody(serializers.Serializer[Any]):
    business_center_id = serializers.CharField(help_text="Who shall hold the leads from then on.")


def transfers_seen_by(actor: User) -> QuerySet[Transfer]:
    """Return the transfers of which `actor` is a party, each with its consequences counted in the same query."""
    moment = Coalesce(OuterRef("decided_at"), Now())
    library = OuterRef("library")
    connections = Connection.objects.filter(library=library, created_at__lte=moment).filter(
        Q(removed_at=None) | Q(removed_at__gt=moment)
    )
    exports = Export.objects.filter(library=library, requested_at__lte=moment).filter(
        Q(expires_at=None) | Q(expires_at__gt=moment)
    )
    administrators = AccountMembership.objects.filter(
        ad_account=OuterRef("library__ad_account"), share=None, role=AccountRole.ADMINISTRATOR, user__is_active=True
    )
    admins = BusinessCenterMember.objects.filter(role=BusinessCenterRole.ADMIN, user__is_active=True)
    leads = Lead.objects.filter(library=library, received_at__lte=moment).exclude(state=Lead.State.GONE).values("pk")
    newest = leads.order_by("state", "-received_at", "-pk")  # as `leads_newest` has them, or all are read for a few
    tests = _Bounded(leads.filter(is_test=True)[:TESTS])
    return transfers_of_party(actor).annotate(
        leads_moving=Least(_Bounded(newest[: COUNTED_AT_MOST + TESTS]) - tests, COUNTED_AT_MOST),
        connections_moving=_count(connections, "library"),
        deliveries_moving=Coalesce(Subquery(_waiting(), output_field=IntegerField()), Value(0)),
        exports_moving=_count(exports.exclude(state=Export.State.FAILED), "library"),
        administrators=_count(administrators, "ad_account"),
        admins_giving=_count(admins.filter(business_center=OuterRef("from_business_center")), "business_center"),
        admins_taking=_count(admins.filter(business_center=OuterRef("to_business_center")), "business_center"),
        owner_id=F("library__ad_account__business_center"),
    )


def _waiting() -> QuerySet[Any, Any]:
    """The pending deliveries of a transfer's library, each connection's by its own index."""
    moment = Coalesce(OuterRef(OuterRef("decided_at")), Now())
    pending = Delivery.objects.filter(
        connection=OuterRef("pk"), state=Delivery.State.PENDING, created_at__lte=moment
    ).order_by("due_at")
    connections = Connection.objects.filter(library=OuterRef("library"), removed_at=None).order_by()
    counted = connections.annotate(waiting=_Bounded(pending.values("pk")[:COUNTED_AT_MOST]))
    return counted.values("library").annotate(number=Sum("waiting")).values("number")


class _Bounded(Subquery):
    """How many rows a limited query finds: neither asking nor accepting grows with the number of leads."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def _count(rows: QuerySet[Any], group: str) -> Coalesce:
    counted = rows.order_by().values(group).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def transfers_json(transfers: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the rows of `transfers_seen_by` as the API shows them."""
    return [transfer_json(transfer) for transfer in transfers]


def transfer_json(transfer: Any) -> dict[str, Any]:
    """Return a row of `transfers_seen_by` as the API shows it."""
    # On the side that owns the ad account its Administrators hold the leads, on the other the Admins.
    from_owner = transfer.from_business_center_id == transfer.owner_id
    to_owner = transfer.to_business_center_id == transfer.owner_id
    return {
        "id": str(transfer.pk),
        "state": transfer.state_now,
        "library_id": str(transfer.library_id),
        "ad_account": named(transfer.library.ad_account),
        "from": named(transfer.from_business_center),
        "to": named(transfer.to_business_center),
        "requested_by": str(transfer.requested_by),
        "requested_at": transfer.requested_at,
        "expires_at": transfer.expires_at,
        "decided_at": transfer.decided_at,
        "consequences": {
            "leads": transfer.leads_moving,
            "connections_suspended": transfer.connections_moving,
            "deliveries_waiting": transfer.deliveries_moving,
            "exports_ended": transfer.exports_moving,
            "people_losing_access": transfer.administrators if from_owner else transfer.admins_giving,
            "people_gaining_access": transfer.administrators if to_owner else transfer.admins_taking,
            "stays_with_owner": list(STAYS),
        },
    }
