import pytest
from django.test import Client

from accounts.models import Act, AuditEvent, BusinessCenterRole, TermsAcceptance, User
from accounts.services import business_centers
from forms_builder import services
from forms_builder.models import Form
from tests.house import CONTENT, House, build, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return build(terms=False)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def accepting(house: House, **changes: str) -> dict[str, str]:
    return {"business_center": str(house.business_center.pk), "version": "2026-11", "read": "on"} | changes


def test_an_admin_accepts_and_forms_can_be_published(house: House) -> None:
    client = signed_in(house.admin)
    page = client.get("/settings/terms/").content.decode()
    assert "Not accepted yet" in page
    assert "I have read the terms and accept them for Larkspur." in page
    client.post("/settings/terms/", accepting(house))
    assert TermsAcceptance.objects.get().accepted_by == house.admin
    event = AuditEvent.objects.get(act=Act.TERMS_ACCEPTED)
    assert (event.scope_id, event.detail) == (house.business_center.pk, {"version": "2026-11"})
    assert "by Adele" in client.get("/settings/terms/").content.decode()
    form = services.create_form(actor=house.operator, ad_account=house.account, name="Solar", content=CONTENT)
    services.publish(actor=house.operator, form=form)
    assert Form.objects.get().status == "live"


@pytest.mark.parametrize("changes", [{"read": ""}, {"version": "1999-01"}])
def test_unread_or_other_terms_are_not_accepted(house: House, changes: dict[str, str]) -> None:
    signed_in(house.admin).post("/settings/terms/", accepting(house, **changes))
    assert not TermsAcceptance.objects.exists()


def test_a_standard_member_reads_and_is_refused(house: House) -> None:
    standard = person("Sten")
    business_centers.set_member(
        actor=house.admin, business_center=house.business_center, user=standard, role=BusinessCenterRole.STANDARD
    )
    client = signed_in(standard)
    page = client.get("/settings/terms/").content.decode()
    assert "Only Admins of the Business Center accept terms." in page
    assert 'name="read"' not in page
    answer = client.post("/settings/terms/", accepting(house))
    assert answer.status_code == 403
    assert "Adele" in answer.content.decode()
    assert not TermsAcceptance.objects.exists()


def test_strangers_and_people_without_a_center_accept_nothing(house: House) -> None:
    for somebody in (house.stranger, house.operator):
        client = signed_in(somebody)
        assert client.get("/settings/terms/").status_code == 200
        assert client.post("/settings/terms/", accepting(house)).status_code == 404
        assert client.post("/settings/terms/", accepting(house, business_center="x")).status_code == 404
    assert not TermsAcceptance.objects.exists()
