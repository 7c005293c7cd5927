"""Made-up leads by the hundred thousand: sealed, indexed and worked on as the product does, written by COPY.

What filters ask for is there: every status, forms and versions, ads and organic leads, regions, a team with unassigned
leads among them, labels, notes, follow-ups, deliveries in every state, duplicates, tests, what was viewed, downloaded
or expires; and, besides the leads that were asked for, some in quarantine and in the trash. The rare ones of each are
the same few leads at every size.
"""

import itertools
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from accounts.models import LeadLibrary
from bench.models import PlainLead
from bench.surroundings import QUESTIONS, Place, Surroundings, surround
from leads.conditions import EXPIRES_WITHIN
from leads.vault.keys import make_keys
from leads.vault.sealing import seal
from leads.vault.search import digests_of, identifying, terms_of
from leads.vault.values import Owner
from leadscenter.lib.ids import new_id, new_ids

CHUNK = 20_000
DAYS = 88  # of the ninety that they are kept: some expire within the week
RARE = (17, 4017, 8017)
UNSHOWN = 50  # one in so many more is in quarantine, and one in the trash
STATUSES = {"raw": 50, "contacted": 25, "qualified": 10, "converted": 10, "unqualified": 5}
REGIONS = {"eu": 50, "us": 50, "row": 0}
FIRST = ("Ann", "Bob", "Carla", "Deniz", "Eva", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Liam")
LAST = 4000
TABLES = {
    "leads_lead": (
        "id library_id form_id version_id campaign_id ad_group_id ad_id region state status submission_key source "
        "outcome sealed_in_browser is_test duplicate_of assignee_id received_at status_changed_at contacted_at "
        "attention_at viewed_at downloaded_at trashed_at changes why_gone"
    ),
    "vault_sealedanswers": "lead_id library_id region sealed digest",
    "vault_consentrecord": "lead_id library_id region version_id language boxes network_prefix at",
    "vault_searchterm": "library_id region digest received_at lead_id key_version identifies",
    "vault_note": "id lead_id library_id region author_id sealed created_at",
    "leads_leadlabel": "lead_id label_id received_at",
    "leads_followup": "id lead_id library_id user_id set_by_id due_at created_at",
    "leads_delivery": (
        "id library_id connection_id lead_id event_key state due_at lease leases_unanswered attempts created_at "
        "settled_at received_at"
    ),
    PlainLead._meta.db_table: "name email phone company city job address zip_code form status received_at",
}


@dataclass(frozen=True, slots=True)
class Made:
    """One lead as the tables need it."""

    number: int
    id: int
    place: Place
    region: str
    state: str
    status: str
    assignee_id: int | None
    at: datetime
    values: Sequence[str]

    @property
    def rare(self) -> bool:
        """Whether it holds the rare one of everything."""
        return self.number in RARE


@dataclass(slots=True)
class Writer:
    """Gathers the rows of some leads and writes them table by table."""

    library: LeadLibrary
    around: Surroundings
    now: datetime
    whole: int  # how many leads the library holds in the end: they arrive evenly over the days
    chance: random.Random
    rows: dict[str, list[Sequence[Any]]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def add(self, lead: Made) -> None:
        """Add what belongs to one lead."""
        self._vault(lead)
        self._lead(lead)
        self._work(lead)
        self._deliveries(lead)
        if lead.state == "live":
            place = lead.place.version.form.name
            self.rows[PlainLead._meta.db_table].append((*lead.values, place, lead.status, lead.at))

    def _lead(self, lead: Made) -> None:
        library, ad, form = self.library, lead.place.ad, lead.place.version.form_id
        draw, raw = self.chance.random(), lead.status == "raw"
        contacted = None if raw else lead.at + timedelta(minutes=1 + 200 * draw)
        ending = lead.at + timedelta(days=library.retention_days) - EXPIRES_WITHIN
        attention = lead.at + timedelta(minutes=library.contact_goal_minutes) if raw else ending
        row = {
            "ids": (lead.id, library.pk, form, lead.place.version.pk),
            "ad": (ad.ad_group.campaign_id, ad.ad_group_id, ad.pk) if ad else (None, None, None),
            "life": (lead.region, lead.state, lead.status, uuid.UUID(int=self.chance.getrandbits(128))),
            "source": "import" if lead.rare else "api" if draw < 0.1 else "form",
            "outcome": "not_preferred" if lead.rare else "preferred" if draw > 0.8 else "",
            "flags": (True, lead.rare, lead.id - 1 if lead.rare or draw < 0.02 else None),
            "work": (lead.assignee_id, lead.at, contacted, contacted, attention),
            "viewed": None if raw and draw < 0.5 else lead.at + timedelta(minutes=5),
            "downloaded": lead.at + timedelta(days=1) if draw < 0.3 else None,
            "trashed": self.now if lead.state == "trashed" else None,
        }
        flat = [part for value in row.values() for part in (value if isinstance(value, tuple) else (value,))]
        self.rows["leads_lead"].append((*flat, 0, ""))

    def _vault(self, lead: Made) -> None:
        place, owner = lead.place, Owner(self.library.pk, lead.region, lead.id)
        form = place.version.form
        asked = zip(QUESTIONS, lead.values, strict=True)
        content = {
            "answers": [[key, label, value, kind] for (key, label, kind), value in asked],
            "form": {"id": str(form.pk), "name": form.name, "version": place.version.number},
            **{kind: place.named(kind) for kind in ("campaign", "ad_group", "ad")},
            "attribution": {"utm_source": "video"},
            "country": "DE",
            "language": "en",
            "consents": {"news": True},
        }
        key = (self.library.pk, lead.region)
        self.rows["vault_sealedanswers"].append((lead.id, *key, seal("answers/1", owner, content), bytes(32)))
        boxes = Jsonb({"news": True})
        self.rows["vault_consentrecord"].append((lead.id, *key, place.version.pk, "en", boxes, "", lead.at))
        terms = terms_of(name=lead.values[0], email=lead.values[1], phone=lead.values[2])
        known = identifying(terms)
        self.rows["vault_searchterm"] += [
            (*key, digest, lead.at, lead.id, 1, number < known) for number, digest in enumerate(digests_of(*key, terms))
        ]

    def _work(self, lead: Made) -> None:
        for label, share in self.around.labels:
            if lead.rare if not share else self.chance.random() * 100 < share:
                self.rows["leads_leadlabel"].append((lead.id, label.pk, lead.at))
        author = self.around.team[0][0].pk
        if lead.number % 10 == 0:
            note = new_id()
            sealed = seal("note/1", Owner(self.library.pk, lead.region, note), "Called, calls back.")
            row = (note, lead.id, self.library.pk, lead.region, author, sealed, lead.at)
            self.rows["vault_note"].append(row)
        if lead.number % 500 == 0:
            due = self.now + timedelta(hours=self.chance.randrange(-48, 200))
            self.rows["leads_followup"].append((new_id(), lead.id, self.library.pk, author, author, due, lead.at))

    def _deliveries(self, lead: Made) -> None:
        draw = self.chance.random()
        if lead.rare or draw < 0.005:
            self._delivery(lead, self.around.hook.pk, "dead", 10)
        elif draw < 0.008:
            self._delivery(lead, self.around.hook.pk, "pending", 2)
        elif draw < 0.95:
            self._delivery(lead, self.around.hook.pk, "done", 1)
        if draw > 0.49 and draw < 0.5:
            self._delivery(lead, self.around.paused.pk, "pending", 0)

    def _delivery(self, lead: Made, connection_id: int, state: str, attempts: int) -> None:
        key = f"lead.created:{lead.id}"
        settled = None if state == "pending" else lead.at + timedelta(seconds=2)
        due = self.now + timedelta(days=1) if state == "pending" else lead.at
        row = (self.library.pk, connection_id, lead.id, key, state, due, 1, 0, attempts, lead.at, settled, lead.at)
        self.rows["leads_delivery"].append((new_id(), *row))

    def write(self) -> None:
        """Write what was gathered."""
        for table, columns in TABLES.items():
            copy(table, columns, self.rows[table])
            self.rows[table] = []


def fill(library: LeadLibrary, count: int) -> None:
    """Write `count` live leads into an empty library, oldest first as they arrive, and the same as plain rows."""
    make_keys([library.pk])
    writer = Writer(library, surround(library), datetime.now(UTC), count, random.Random(count))  # noqa: S311  # no secret
    for start in range(0, count, CHUNK):
        for lead in leads(writer, start, min(CHUNK, count - start)):
            writer.add(lead)
        writer.write()


def leads(writer: Writer, start: int, count: int) -> Iterator[Made]:
    """Yield `count` live leads and, among them, some that no list shows by itself."""
    chance, around = writer.chance, writer.around
    states = [state for number in range(count) for state in ("live", *_besides(number))]
    numbers = list(itertools.accumulate((state == "live" for state in states), initial=start - 1))[1:]
    team = [None, *(user.pk for user, _share in around.team)]
    drawn = zip(
        new_ids(len(states)),
        _choices(chance, [place for place, _share in around.places], [share for _p, share in around.places], states),
        _choices(chance, list(REGIONS), list(REGIONS.values()), states),
        _choices(chance, list(STATUSES), list(STATUSES.values()), states),
        _choices(chance, team, [35, *(share for _user, share in around.team)], states),
        strict=True,
    )
    for (lead_id, place, region, status, assignee), state, number in zip(drawn, states, numbers, strict=True):
        share = (number + chance.random()) / writer.whole
        at = writer.now - timedelta(days=DAYS * (1 - share))
        if state != "live":
            number = -1  # nobody looks for them
        if number in RARE:
            place, region, assignee = around.places[-1][0], "row", team[-1]
        yield Made(number, lead_id, place, region, state, status, assignee, at, person(chance, number))


def _besides(number: int) -> tuple[str, ...]:
    return ("quarantined", "trashed") if number % UNSHOWN == 0 else ()


def _choices(chance: random.Random, some: Sequence[Any], weights: Sequence[float], many: Sequence[object]) -> list[Any]:
    return chance.choices(some, weights, k=len(many))


def person(chance: random.Random, number: int) -> list[str]:
    """Return eight answers of somebody who does not exist."""
    last = f"Person{chance.randrange(LAST)}"
    return [
        f"{chance.choice(FIRST)} {last}",
        f"p{number}@example.com",
        f"+4915{max(number, 0):09d}",
        f"Company {chance.randrange(999)} Ltd",
        chance.choice(("Berlin", "Lyon", "Porto", "Austin", "Lima")),
        "Runs a bakery with nine people and two ovens",
        f"{chance.randrange(20, 400)} Long Road, second floor on the left, bell of the garden house",
        f"{chance.randrange(99999):05d}",
    ]


def copy(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows by COPY."""
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(f"COPY {table} ({', '.join(columns.split())}) FROM STDIN") as into,
    ):
        for row in rows:
            into.write_row(row)


def settle() -> None:
    """Do what autovacuum does in time, so that nothing of it is done beside the measuring."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
