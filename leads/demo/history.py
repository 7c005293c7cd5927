"""Leads that arrived over the last weeks, some worked on, with the counts and costs that go with them."""

import random
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from accounts.models import AdAccount, User
from campaigns.models import Ad, AdDay, AdGroup, Campaign
from forms_builder.models import Form, MeasureDay, MeasureEvent, MeasureKind
from forms_builder.schema import Consent
from forms_builder.selectors import published_form
from forms_builder.services.drafts import create_form
from forms_builder.services.publishing import publish
from leads.demo.content import (
    CAMPAIGNS,
    COUNTRIES,
    FIRST_NAMES,
    FORMS,
    LAST_NAMES,
    answers_of,
)
from leads.intake.accept import Circumstances, accept
from leads.intake.submission import Submission
from leads.models import Delivery, Label, Lead, LeadLabel
from leads.vault.keys import make_keys
from leads.vault.models import SearchTerm
from leads.vault.regions import alias_of

DAYS = 56
DEVICES = ("phone", "desktop", "tablet")
SPACE = uuid.UUID("6f0f3d6e-5a53-4f0b-9d0e-3b8d1c2a4e5f")
FRESH = (1, 4, 18, 49, 68)  # minutes: the lead clock shows what it is for
SHARES = (("contacted", 0.3), ("qualified", 0.2), ("converted", 0.12), ("unqualified", 0.1))


def make_form(key: str, account: AdAccount, admin: User) -> Form:
    """Return the published demo form of an ad account."""
    name, content = FORMS[key]
    form = Form.objects.filter(ad_account=account, name=name).first()
    if form is None:
        form = create_form(actor=admin, ad_account=account, name=name, content=content.as_json())
        publish(actor=admin, form=form)
        form.refresh_from_db()
    return form


@transaction.atomic
def make_campaigns(key: str, account: AdAccount, form: Form, admin: User) -> list[Ad]:
    """Return the ads of the demo campaigns of an ad account."""
    ads = list(Ad.objects.filter(ad_group__campaign__ad_account=account).order_by("id"))
    if ads:
        return ads
    start = datetime.now(UTC).date() - timedelta(days=DAYS)
    for campaign_name, groups in CAMPAIGNS[key]:
        campaign = Campaign.objects.create(
            ad_account=account, name=campaign_name, budget_cents=25_000, starts_on=start, created_by=admin
        )
        for group_name, names in groups:
            group = AdGroup.objects.create(campaign=campaign, name=group_name)
            for name in names:
                headline = FORMS[key][1].headline
                ads.append(Ad.objects.create(ad_group=group, name=name, form=form, headline=headline))
    return ads


def make_leads(
    key: str, form: Form, ads: list[Ad], team: list[User], *, count: int, seed: int, tick: Callable[[], None]
) -> int:
    """Submit `count` made-up people to the form through the real intake, then move them back in time."""
    served = published_form(form.public_id)
    assert served is not None
    assert served.library_id is not None
    make_keys([served.library_id])
    chance = random.Random(f"{seed}:{key}")  # noqa: S311  # a demo, not a secret
    made: list[int] = []
    for number in range(count):
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        country, choice = chance.choice(COUNTRIES), chance.randrange(4)
        ad = chance.choice([*ads, *ads, *ads, None])
        submission = Submission(
            key=uuid.uuid5(SPACE, f"{seed}:{form.pk}:{number}"),
            version=served.number,
            answers=answers_of(key, first, last, country, number, choice),
            consents={consent.key: consent.required or chance.random() < 0.4 for consent in _consents(form)},
            attribution={"utm_source": "video", "utm_campaign": "autumn"} if ad else {},
            ad_id=ad.pk if ad else None,
        )
        stored = accept(form.public_id, submission, Circumstances(sealed_in_browser=True, whole_visit=False))
        if stored.fresh:
            made.append(stored.lead_id)
        tick()
    if made:
        _age(made, team, chance)
        _count(form, ads, chance)
    return len(made)


def _consents(form: Form) -> tuple[Consent, ...]:
    served = published_form(form.public_id)
    assert served is not None
    return served.content.disclaimer.consents


@transaction.atomic
def _age(ids: list[int], team: list[User], chance: random.Random) -> None:
    """Spread the leads over the last weeks, newest most, and let the team have worked on the older ones."""
    now = datetime.now(UTC)
    library_id = Lead.objects.values_list("library_id", flat=True).get(pk=ids[0])
    labels = [Label.objects.get_or_create(library_id=library_id, name=name)[0] for name in ("Call back", "Own roof")]
    for number, lead in enumerate(Lead.objects.filter(pk__in=ids).order_by("pk")):
        minutes = FRESH[number] if number < len(FRESH) else chance.triangular(190, DAYS * 24 * 60, 190)
        age = timedelta(minutes=minutes)
        lead.received_at = now - age
        lead.attention_at = lead.received_at + timedelta(hours=1)
        if age > timedelta(hours=3):
            _work(lead, team, chance)
        lead.save(
            update_fields=["received_at", "attention_at", "status", "contacted_at", "status_changed_at", "assignee"]
        )
        terms = SearchTerm.objects.using(alias_of(lead.region)).filter(lead_id=lead.pk)
        terms.update(received_at=lead.received_at)
        Delivery.objects.filter(lead_id=lead.pk).update(received_at=lead.received_at)
        if chance.random() < 0.15:
            LeadLabel.objects.create(lead=lead, label=chance.choice(labels), received_at=lead.received_at)


def _work(lead: Lead, team: list[User], chance: random.Random) -> None:
    draw = chance.random()
    for status, share in SHARES:
        draw -= share
        if draw < 0:
            lead.status = status
            lead.contacted_at = lead.received_at + timedelta(minutes=chance.triangular(3, 170, 20))
            lead.status_changed_at = lead.contacted_at
            lead.attention_at = None
            lead.assignee = chance.choice(team)
            return


@transaction.atomic
def _count(form: Form, ads: list[Ad], chance: random.Random) -> None:
    """Put the counts on the days that the leads moved to, with the visits and the costs that led to them."""
    MeasureEvent.objects.filter(form_id=form.pk).delete()
    MeasureDay.objects.filter(form_id=form.pk).delete()
    submits: Counter[tuple[date, int, int]] = Counter()
    leads = Lead.objects.filter(form=form, is_test=False).select_related("version")
    for received_at, ad_id, number in leads.values_list("received_at", "ad_id", "version__number"):
        submits[received_at.date(), ad_id or 0, number] += 1
    rows, costs = [], []
    served = published_form(form.public_id)
    questions = [question.key for question in served.content.questions] if served else []
    known = {ad.pk: ad for ad in ads}
    for (day, ad_id, number), submit in submits.items():
        start = submit + round(submit * chance.uniform(0.9, 1.8))
        opened = start + round(start * chance.uniform(0.4, 0.7))
        click = opened + round(opened * chance.uniform(0.6, 1.0)) if ad_id else 0
        counted = {
            MeasureKind.CLICK: click,
            MeasureKind.OPEN: opened,
            MeasureKind.START: start,
            MeasureKind.SUBMIT: submit,
        }
        place = {"country": chance.choice(COUNTRIES), "device": chance.choices(DEVICES, (70, 22, 8))[0]}
        said = {"form_id": form.pk, "version": number, "ad_id": ad_id, "day": day, **place}
        rows += [MeasureDay(kind=kind, count=count, **said) for kind, count in counted.items() if count]
        lost, saw = (opened - submit) / (len(questions) or 1), float(opened)
        for question in questions:
            rows.append(MeasureDay(kind=MeasureKind.QUESTION, question=question, count=round(saw), **said))
            saw = max(saw - lost * chance.uniform(0.5, 1.5), submit)
        if ad_id in known:
            spend = round(submit * chance.uniform(1100, 1900))
            shown = click * round(chance.uniform(55, 80))
            costs.append(AdDay(ad=known[ad_id], day=day, impressions=shown, clicks=click, spend_cents=spend))
    MeasureDay.objects.bulk_create(rows)
    AdDay.objects.filter(ad__in=ads).delete()
    AdDay.objects.bulk_create(costs)
