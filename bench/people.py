"""Made-up leads by the hundred thousand: sealed, indexed and worked on as the product does, written by COPY."""

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from bench.models import PlainLead
from forms_builder.models import Form, FormVersion
from leads.models import Connection, Label
from leads.vault.keys import make_keys
from leads.vault.models import Note
from leads.vault.sealing import seal
from leads.vault.search import digests_of, terms_of
from leads.vault.values import Owner, Plain
from leadscenter.lib.ids import new_id, new_ids

DAYS = 60
LEAD_COLUMNS = (
    "id library_id form_id version_id region state status submission_key sealed_in_browser is_test changes why_gone "
    "received_at attention_at assignee_id status_changed_at"
)
FIRST = ("Ann", "Bob", "Carla", "Deniz", "Eva", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Liam")
LAST = 4000
STATUSES = ("raw", "contacted", "qualified", "converted", "unqualified")
QUESTIONS = (
    ("name", "Your name", "name"),
    ("email", "E-mail", "email"),
    ("phone_number", "Phone", "phone_number"),
    ("company_name", "Company", "company_name"),
    ("city", "City", "city"),
    ("size", "How large is your roof?", "short_answer"),
    ("wish", "What do you wish?", "short_answer"),
    ("when", "When shall we start?", "short_answer"),
)


def form_for(library: LeadLibrary) -> tuple[Form, FormVersion]:
    """Return the form whose version asks the eight questions."""
    found = Form.objects.filter(ad_account=library.ad_account_id, name="Bench").select_related("published").first()
    if found is not None and found.published is not None:
        return found, found.published
    form = Form.objects.create(ad_account_id=library.ad_account_id, name="Bench")
    content = {
        "headline": "Bench",
        "questions": [{"key": k, "label": label, "kind": kind} for k, label, kind in QUESTIONS],
    }
    version = FormVersion.objects.create(
        form=form, number=1, content=content, status="published", published_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    Form.objects.filter(pk=form.pk).update(status="live", published=version)
    return form, version


def fill(library: LeadLibrary, count: int, *, before: int) -> None:
    """Add `count` leads to a library that holds `before`, and the same as plain rows."""
    make_keys([library.pk])
    form, version = form_for(library)
    admin = holders(library, Can.VIEW_LEADS)[0]
    label = Label.objects.get_or_create(library=library, name="Call back")[0]
    hook = Connection.objects.get_or_create(
        library=library, name="Bench", defaults={"kind": "webhook", "custody": library.custody, "created_by": admin}
    )[0]
    chance = random.Random(before)  # noqa: S311  # a benchmark, not a secret
    now = datetime.now(UTC)
    leads: list[Sequence[Any]] = []
    answers: list[Sequence[Any]] = []
    terms: list[Sequence[Any]] = []
    plain: list[Sequence[Any]] = []
    consents: list[Sequence[Any]] = []
    ids = new_ids(count)
    notes = []
    for number, lead_id in enumerate(ids, start=before):
        region = chance.choice(("eu", "eu", "us", "row"))
        status = chance.choice(STATUSES)
        at = now - timedelta(seconds=chance.randrange(DAYS * 86400), microseconds=number % 1000)
        values = person(chance, number)
        content = {
            "answers": [[k, label_, value, kind] for (k, label_, kind), value in zip(QUESTIONS, values, strict=True)],
            "form": {"id": str(form.pk), "name": form.name, "version": 1},
            "campaign": None,
            "ad_group": None,
            "ad": None,
            "attribution": {"utm_source": "video"},
            "country": "DE",
            "language": "en",
            "consents": {"news": True},
        }
        owner = Owner(library.pk, region, lead_id)
        leads.append(
            (
                lead_id,
                library.pk,
                form.pk,
                version.pk,
                region,
                "live",
                status,
                uuid.uuid4(),
                True,
                False,
                0,
                "",
                at,
                at if status == "raw" else None,
                admin.pk if number % 3 else None,
                None if status == "raw" else at,
            )
        )
        answers.append((lead_id, library.pk, region, seal("answers/1", owner, content), bytes(32)))
        consents.append((lead_id, library.pk, region, version.pk, "en", Jsonb({"news": True}), "", at))
        found = terms_of(email=values[1], phone=values[2], name=values[0])
        terms += [(library.pk, region, digest, at, lead_id, 1) for digest in digests_of(library.pk, region, found)]
        plain.append((*values, form.name, status, at))
        if number % 10 == 0:
            notes.append(
                Note(
                    id=new_id(),
                    lead_id=lead_id,
                    library_id=library.pk,
                    region=region,
                    author_id=admin.pk,
                    sealed=Plain("Called, calls back."),
                )
            )
    copy(
        "leads_lead",
        LEAD_COLUMNS,
        leads,
    )
    copy("vault_sealedanswers", "lead_id library_id region sealed digest", answers)
    copy("vault_consentrecord", "lead_id library_id region version_id language boxes network_prefix at", consents)
    copy("vault_searchterm", "library_id region digest received_at lead_id key_version", terms)
    copy("leads_leadlabel", "lead_id label_id", ((lead_id, label.pk) for lead_id in ids[::3]))
    copy(
        "leads_delivery",
        "id library_id connection_id lead_id event_key state due_at lease leases_unanswered attempts created_at",
        (
            (delivery, library.pk, hook.pk, lead_id, f"lead.created:{lead_id}", "done", now, 1, 0, 1, now)
            for delivery, lead_id in zip(new_ids(count), ids, strict=True)
        ),
    )
    copy(PlainLead._meta.db_table, 'name email phone company city size wish "when" form status received_at', plain)
    for note in notes[:200]:
        note.save(force_insert=True, using="default")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def person(chance: random.Random, number: int) -> list[str]:
    """Return eight answers of somebody who does not exist."""
    last = f"Person{chance.randrange(LAST)}"
    return [
        f"{chance.choice(FIRST)} {last}",
        f"p{number}@example.com",
        f"+4915{number:09d}",
        f"Company {chance.randrange(999)} Ltd",
        chance.choice(("Berlin", "Lyon", "Porto", "Austin", "Lima")),
        f"{chance.randrange(20, 400)} square metres, facing south",
        "A quote for panels and a battery, and somebody who explains what it saves in a year.",
        chance.choice(("Now", "In three months", "Next year")),
    ]


def copy(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows by COPY."""
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(f"COPY {table} ({', '.join(columns.split())}) FROM STDIN") as into,
    ):
        for row in rows:
            into.write_row(row)


def chunks(total: int, size: int = 20_000) -> Iterator[tuple[int, int]]:
    """Yield (how many, how many before) until `total`."""
    for before in range(0, total, size):
        yield min(size, total - before), before
