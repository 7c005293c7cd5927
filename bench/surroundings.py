"""What the made-up leads belong to: forms, campaigns, a team, labels and connections, each of them common or rare.

What is rare stands on the same three leads at every size, so that a page of it shows whether its cost grows with what
it leaves out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.access import Can, holders
from accounts.models import AccountRole, LeadLibrary, User
from accounts.services.ad_accounts import set_member
from accounts.services.people import create_person
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form, FormVersion
from leads.models import Connection, Label

QUESTIONS = (
    ("name", "Your name", "name"),
    ("email", "E-mail", "email"),
    ("phone_number", "Phone", "phone_number"),
    ("company_name", "Company", "company_name"),
    ("city", "City", "city"),
    ("job_title", "What do you do?", "job_title"),
    ("address", "Where is the roof?", "address"),
    ("zip_code", "Postal code", "zip_code"),
)
PUBLISHED = datetime(2026, 1, 1, tzinfo=UTC)
FORMS = {"Bench quote": 60, "Bench callback": 30, "Bench brochure": 10, "Bench rare": 0}
CAMPAIGNS = {"Bench autumn": 60, "Bench winter": 40, "Bench rare": 0}
TEAM = {"Bench Ann": 30, "Bench Bob": 15, "Bench Rare": 0}
LABELS = {"Call back": 30, "Own roof": 10, "In May": 1, "Bench rare": 0}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lead comes from: a version of a form, through an ad or through none."""

    version: FormVersion
    ad: Ad | None

    def named(self, kind: str) -> dict[str, str] | None:
        """Return id and name of the ad, its ad group or its campaign, as they are sealed with the answers."""
        if self.ad is None:
            return None
        group = self.ad.ad_group
        thing = {"ad": self.ad, "ad_group": group, "campaign": group.campaign}[kind]
        return {"id": str(thing.pk), "name": str(thing)}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The choices with their weights; the rare one is the last of each."""

    places: Sequence[tuple[Place, float]]
    team: Sequence[tuple[User, int]]
    labels: Sequence[tuple[Label, int]]
    hook: Connection
    paused: Connection


def surround(library: LeadLibrary) -> Surroundings:
    """Return the library's surroundings, made where they are missing."""
    admin = holders(library, Can.VIEW_LEADS).order_by("pk")[0]
    versions = {name: versions_of(library, name) for name in FORMS}
    places: list[tuple[Place, float]] = []
    for name, share in FORMS.items():
        first, second = versions[name]
        places += [(Place(first, None), share * 0.1), (Place(second, None), share * 0.2)]
        for ad, weight in _ads(library, admin, second.form):
            places.append((Place(second, ad), share * weight / 100 * 0.7))
    return Surroundings(
        places=places,
        team=[(admin, 20), *((_member(library, admin, name), share) for name, share in TEAM.items())],
        labels=[(Label.objects.get_or_create(library=library, name=name)[0], share) for name, share in LABELS.items()],
        hook=_connection(library, admin, "Bench", Connection.State.ACTIVE),
        paused=_connection(library, admin, "Bench, paused", Connection.State.PAUSED),
    )


def versions_of(library: LeadLibrary, name: str) -> tuple[FormVersion, FormVersion]:
    """Return both versions of the form of that name; people see the second."""
    questions = [{"key": key, "label": label, "kind": kind} for key, label, kind in QUESTIONS]
    form = Form.objects.filter(ad_account=library.ad_account_id, name=name).first()
    if form is None:
        form = Form.objects.create(ad_account_id=library.ad_account_id, name=name)
        content = {"headline": name, "questions": questions}
        for number, status in enumerate(("superseded", "published"), start=1):
            FormVersion.objects.create(form=form, number=number, content=content, status=status, published_at=PUBLISHED)
        Form.objects.filter(pk=form.pk).update(status="live", published=form.versions.get(number=2))
    first, second = form.versions.select_related("form").order_by("number")
    return first, second


def _ads(library: LeadLibrary, admin: User, form: Form) -> list[tuple[Ad, float]]:
    found: list[tuple[Ad, float]] = []
    for name, share in CAMPAIGNS.items():
        campaign = Campaign.objects.get_or_create(
            ad_account_id=library.ad_account_id,
            name=name,
            defaults={"budget_cents": 25_000, "starts_on": PUBLISHED.date(), "created_by": admin},
        )[0]
        for number, part in ((1, 0.7), (2, 0.3)):
            group = AdGroup.objects.get_or_create(campaign=campaign, name=f"{name}, group {number}")[0]
            ads = Ad.objects.select_related("ad_group__campaign")
            ad = ads.get_or_create(ad_group=group, form=form, name=f"{form.name}, {number}")[0]
            found.append((ad, share * part))
    return found


def _member(library: LeadLibrary, admin: User, name: str) -> User:
    email = f"{name.lower().replace(' ', '.')}@team.example"
    user = User.objects.filter(email=email).first() or create_person(email=email)
    if user.name != name:
        User.objects.filter(pk=user.pk).update(name=name)
        set_member(actor=admin, ad_account=library.ad_account, user=user, role=AccountRole.ADMINISTRATOR)
    return user


def _connection(library: LeadLibrary, admin: User, name: str, state: str) -> Connection:
    made = {"kind": "webhook", "custody": library.custody, "created_by": admin, "state": state}
    return Connection.objects.get_or_create(library=library, name=name, defaults=made)[0]
