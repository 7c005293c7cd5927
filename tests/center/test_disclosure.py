"""Looking at leads: no look without the right, none without a trace, contact details masked until asked for."""

import pytest

from accounts.access import Refused
from accounts.models import Act, AuditEvent, AuditTarget
from leads.center.disclosure import disclose
from leads.center.masking import mask
from leads.models import Lead
from leads.vault.models import SealedAnswers
from leads.vault.regions import alias_of
from tests.world import World


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("ann@example.com", "email", "a•••@example.com"),
        ("ann@example.com", "work_email", "a•••@example.com"),
        ("+4915112345678", "phone_number", "+49•••678"),
        ("12345678", "work_phone", "•••"),
        ("Ann", "name", "Ann"),
        ("", "email", ""),
        ("no at sign", "email", "•••@no at sign"),
    ],
)
def test_contact_details_are_masked_and_the_rest_is_not(value: str, kind: str, shown: str) -> None:
    assert mask(value, kind) == shown


def test_a_look_is_masked_and_leaves_one_event_with_one_target_per_lead(world: World) -> None:
    leads = [world.add_lead(), world.add_lead(name="Bob", region="us")]

    shown = disclose(leads, actor=world.administrator, library=world.library, act=Act.LEADS_LISTED)

    assert [(lead.id, lead.name, lead.email, lead.phone) for lead in shown] == [
        (leads[0].pk, "Ann Example", "a•••@example.com", "+49•••678"),
        (leads[1].pk, "Bob", "a•••@example.com", "+49•••678"),
    ]
    assert "ann@example.com" not in str([lead.answers for lead in shown])
    event = AuditEvent.objects.get(act=Act.LEADS_LISTED)
    assert (event.actor, event.count) == (world.administrator, 2)
    assert event.grant_path == f"ad_account:{world.account.pk}:administrator"
    targets = AuditTarget.objects.filter(event=event).values_list("object_id", flat=True)
    assert set(targets) == {lead.pk for lead in leads}


def test_revealing_gives_clear_values_and_its_repr_still_shows_none(world: World) -> None:
    lead = world.add_lead()
    shown = disclose([lead], actor=world.administrator, library=world.library, act=Act.LEAD_REVEALED, reveal=True)[0]
    assert (shown.email, shown.phone, shown.masked) == ("ann@example.com", "+4915112345678", False)
    assert repr(shown) == f"<OpenLead {lead.pk}>"
    assert "ann" not in repr(shown.answers).lower()


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger", "client_admin"])
def test_whoever_may_not_look_sees_nothing_and_leaves_no_look(world: World, who: str) -> None:
    lead = world.add_lead()
    with pytest.raises(Refused):
        disclose([lead], actor=getattr(world, who), library=world.library, act=Act.LEADS_LISTED)
    assert not AuditTarget.objects.filter(object_id=lead.pk).exists()


def test_after_a_transfer_the_client_looks_and_the_agency_does_not(world: World) -> None:
    lead = world.add_lead()
    world.hand_over()
    lead = Lead.objects.get(pk=lead.pk)
    with pytest.raises(Refused):
        disclose([lead], actor=world.administrator, library=world.library, act=Act.LEADS_LISTED)
    shown = disclose([lead], actor=world.client_admin, library=world.library, act=Act.LEADS_LISTED)
    assert shown[0].name == "Ann Example"
    assert AuditEvent.objects.get(act=Act.LEADS_LISTED).grant_path == f"business_center:{world.client.pk}:admin"


def test_a_record_of_another_lead_does_not_open_and_hides_nothing_else(world: World) -> None:
    first, second = world.add_lead(), world.add_lead(name="Bob")
    rows = SealedAnswers.objects.using(alias_of("eu"))
    stolen = rows.filter(pk=second.pk).values_list("sealed", flat=True)[0]
    rows.filter(pk=first.pk).update(sealed=bytes(stolen))
    shown = disclose([first, second], actor=world.administrator, library=world.library, act=Act.LEADS_LISTED)
    assert [(lead.unreadable, lead.name) for lead in shown] == [(True, ""), (False, "Bob")]
