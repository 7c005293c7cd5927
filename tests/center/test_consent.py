"""What the drawer of a lead says in the words of the version that the person saw: consent, and answers that qualify."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Act, AuditEvent
from forms_builder.models import FormVersion
from leads.models import Lead
from leads.vault.models import ConsentRecord
from leads.vault.regions import alias_of
from tests.center.test_drawer import client_of, url
from tests.world import CONTENT, World

pytestmark = pytest.mark.django_db
BOXES = [{"key": "news", "label": "Send me news"}]


def version_of(world: World, number: int, **content: Any) -> FormVersion:
    return FormVersion.objects.create(
        form=world.form,
        number=number,
        content=CONTENT | content,
        status=FormVersion.Status.SUPERSEDED,
        published_at=timezone.now(),
    )


def consent_said(client: Client, world: World, lead: Lead) -> str:
    page = client.get(url(world, lead), headers={"HX-Request": "true"}).content.decode()
    return page.partition('<section id="consent"')[2].partition("</section>")[0]


def test_consent_is_told_in_all_the_words_that_the_person_saw(world: World) -> None:
    words = {"title": "News", "text": "Once <b>a month</b>,\nnever more.", "consents": BOXES}
    client, lead = client_of(world), world.add_lead(version=version_of(world, 2, disclaimer=words))
    said = consent_said(client, world, lead)
    assert "<b>News</b><br>Once &lt;b&gt;a month&lt;/b&gt;,<br>never more." in said
    assert "“Send me news”" in said
    assert 'href="https://example.com/privacy"' in said
    assert "no consent boxes" not in said
    acts = AuditEvent.objects.filter(targets__object_id=lead.pk).values_list("act", flat=True)
    assert list(acts) == [Act.LEAD_OPENED]  # it covers the consent
    said = consent_said(client, world, world.add_lead(version=version_of(world, 3, disclaimer=None)))
    assert "The form had no consent boxes. The privacy policy was shown" in said
    assert 'href="https://example.com/privacy"' in said


def test_a_lead_without_a_record_of_consent_is_not_said_to_have_seen_a_form(world: World) -> None:
    client, lead = client_of(world), world.add_lead()
    ConsentRecord.objects.using(alias_of(lead.region)).filter(pk=lead.pk).delete()
    said = consent_said(client, world, lead)
    assert "There is no record of what this person saw and ticked." in said
    Lead.objects.filter(pk=lead.pk).update(source=Lead.Source.IMPORT)
    imported = consent_said(client, world, lead)
    assert "This lead was imported from a file." in imported
    for text in (said, imported):
        assert "policy" not in text.lower()


def test_an_answer_that_qualifies_is_called_preferred(world: World) -> None:
    options = [
        {"key": "soon", "label": "Soon", "outcome": "preferred"},
        {"key": "never", "label": "Never", "outcome": "not_preferred"},
    ]
    question = {"key": "when", "kind": "multiple_choice", "label": "When?", "options": options}
    version = version_of(world, 2, questions=[*CONTENT["questions"], question])
    client = client_of(world)
    for answer, outcome in (("Soon", "preferred"), ("Never", "not_preferred")):
        lead = world.add_lead(version=version, extra=(["when", "When?", answer, "multiple_choice"],))
        Lead.objects.filter(pk=lead.pk).update(outcome=outcome)
        page = client.get(url(world, lead), headers={"HX-Request": "true"})
        said = {row.key: row.preferred for row in page.context["drawer"].answers}
        assert said == {"name": False, "email": False, "phone_number": False, "wish": False, "when": answer == "Soon"}
        assert (">preferred<" in page.content.decode().replace("</svg>", ">")) is (answer == "Soon")
