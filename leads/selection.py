"""Which leads: the filter that lists, searches, bulk acts, exports and tasks share. It holds ids, words of ours and
digests, never what a person typed, so that it can stand in a URL, an export's row and the trail.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import Http404
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form, FormVersion
from leads.conditions import DELIVERIES, NOT_IMPORT, SOURCES, expiring_before, sent_as
from leads.models import Label, Lead, LeadLabel
from leads.naming import narrowed_by
from leads.vault.search import MAX_WORDS
from leads.vault.walking import Word, words_of
from leadscenter.lib.ids import id_in
from leadscenter.lib.regions import REGIONS

SHOWN_STATES = (Lead.State.LIVE, Lead.State.QUARANTINED, Lead.State.TRASHED)
MOST_CHOSEN = 1000
NAMES = (
    "status", "state", "label", "assignee", "form", "version", "campaign", "ad_group", "ad", "since", "until", "source",
    "outcome", "delivery", "region", "lead", "test", "duplicate", "viewed", "downloaded", "expiring", "s",
    "sort",
)  # fmt: skip
SAID_AS_THEY_ARE = NAMES[: NAMES.index("region")]
YES_NO = {"1": True, "true": True, "0": False, "false": False}
FLAGS = {
    "test": "is_test",
    "duplicate": "duplicate_of__isnull",
    "viewed": "viewed_at__isnull",
    "downloaded": "downloaded_at__isnull",
}
NAMED = ("form", "campaign", "ad_group", "ad", "label")
MOMENTS = ("since", "until", "expiring")
PARTIAL = {
    "attention": Q(attention_at__lte=Now() + timedelta(days=1)),
    "change": Q(status_changed_at__isnull=False),
}
"""Orders of the list that show some leads and leave out the others, wherever the selection goes: what needs somebody
within a day, what has changed its status.
"""
OFFERED: dict[str, list[str]] = {
    "status": Lead.Status.values,
    "state": [str(state) for state in SHOWN_STATES],
    "source": list(SOURCES),
    "outcome": Lead.Outcome.values,
    "delivery": list(DELIVERIES),
}
COLUMNS = {
    **{name: f"{name}_id" for name in ("form", "campaign", "ad_group", "ad")},
    **{name: name for name in ("status", "source", "outcome")},
    "leads": "pk__in",
    "since": "received_at__gte",
    "until": "received_at__lt",
    "expiring": "received_at__lt",
    "regions": "region__in",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Leads of one library. `since` counts, `until` does not; `words` must all be held by a lead.

    `version` is the number of a version of `form`; `expiring` the moment before which a lead was received whose time is
    up within a week.
    """

    state: str = Lead.State.LIVE
    status: str = ""
    label: int | None = None
    assignee: int | None = None  # 0: nobody
    form: int | None = None
    version: int | None = None
    campaign: int | None = None
    ad_group: int | None = None
    ad: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    source: str = ""
    outcome: str = ""
    delivery: str = ""
    sort: str = ""  # one of `PARTIAL`
    test: bool | None = None
    duplicate: bool | None = None
    viewed: bool | None = None
    downloaded: bool | None = None
    expiring: datetime | None = None
    words: tuple[Word, ...] = ()
    regions: tuple[str, ...] = ()
    leads: tuple[int, ...] = ()  # these alone

    def apply(self, leads: QuerySet[Lead]) -> QuerySet[Lead]:
        """Return the leads that match everything but `words`, which are the walk's."""
        wanted: dict[str, Any] = {"state": self.state}
        for name, column in COLUMNS.items():
            if (value := getattr(self, name)) not in (None, "", ()):
                wanted[column] = value
        for name, column in FLAGS.items():
            if (value := getattr(self, name)) is not None:
                wanted[column] = value == (name == "test")
        if self.assignee is not None:
            wanted |= {"assignee_id": self.assignee} if self.assignee else {"assignee__isnull": True}
        if self.until and self.expiring:
            wanted["received_at__lt"] = min(self.until, self.expiring)
        if self.version is not None:  # its id is looked up once, not for each lead, and says the form too
            versions = FormVersion.objects.filter(form_id=wanted.pop("form_id"), number=self.version)
            wanted["version_id"] = Subquery(versions.values("pk")[:1])
        if self.source == NOT_IMPORT:
            del wanted["source"]
            leads = leads.exclude(source=Lead.Source.IMPORT)
        leads = leads.filter(PARTIAL.get(self.sort, Q()), **wanted)
        if self.label is not None:
            leads = leads.filter(Exists(LeadLabel.objects.filter(lead=OuterRef("pk"), label_id=self.label)))
        return leads.filter(sent_as(self.delivery)) if self.delivery else leads

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads: only what is set."""
        found = {name: value for name, value in asdict(self).items() if value not in (None, "", ())}
        for name in MOMENTS:
            if name in found:
                found[name] = found[name].isoformat()
        if self.words:
            found["words"] = [word.encode() for word in self.words]
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Selection":
        """Read what `as_json` wrote; names that are not ours are left to whoever wrote them."""
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        for name in MOMENTS:
            if name in values:
                values[name] = datetime.fromisoformat(values[name])
        values["words"] = tuple(Word.decode(text) for text in values.get("words", ()))
        values["regions"] = tuple(values.get("regions", ()))
        values["leads"] = tuple(values.get("leads", ()))
        return cls(**values)

    def as_params(self) -> dict[str, str]:
        """Return the URL parameters that say the same."""
        found: dict[str, str] = {}
        for name in SAID_AS_THEY_ARE:
            value = getattr(self, name)
            if value is None or value == "" or (name == "state" and value == Lead.State.LIVE):
                continue
            found[name] = value.isoformat() if isinstance(value, datetime) else str(value)
        if self.assignee == 0:
            found["assignee"] = "none"
        for name in FLAGS:
            if (flag := getattr(self, name)) is not None:
                found[name] = "1" if flag else "0"
        texts = {
            "region": ",".join(self.regions),
            "lead": ",".join(map(str, self.leads)),
            "expiring": "1" if self.expiring else "",
            "s": ".".join(word.encode() for word in self.words),
            "sort": self.sort,
        }
        return found | {name: text for name, text in texts.items() if text}

    def without(self, name: str) -> "Selection":
        """Return the selection with one filter taken off; a version goes with its form."""
        default = Selection()
        names = ("form", "version") if name == "form" else (name,)
        return replace(self, **{one: getattr(default, one) for one in names})

    def sorted_by(self, order: str) -> "Selection":
        """Return the selection as a list in this order shows it."""
        return replace(self, sort=order if order in PARTIAL else "")


def read_selection(library: LeadLibrary, params: Mapping[str, Any], *, actor: User) -> Selection:
    """Read untrusted parameters; unknown names are left alone, bad values are `Invalid`, absent things `Http404`."""
    values = _read_all(library, params, actor)
    here = _here(library, [values])
    if not _is_here(values, here):
        raise Http404
    return _selected(values, here)


def read_selections(
    library: LeadLibrary, several: Mapping[str, Mapping[str, Any]], *, actor: User
) -> dict[str, Selection]:
    """Read several sets of parameters without those that `read_selection` refuses; one query for each kind of thing
    that they name, however many they are.
    """
    read: dict[str, dict[str, Any]] = {}
    for key, params in several.items():
        with suppress(Invalid):
            read[key] = _read_all(library, params, actor)
    here = _here(library, read.values())
    return {key: _selected(values, here) for key, values in read.items() if _is_here(values, here)}


def is_storable(text: str) -> bool:
    """Whether a database can be asked for this text: no NUL, no lone surrogate."""
    return "\x00" not in text and text == text.encode("utf-8", "replace").decode()


def with_search(selection: Selection, library: LeadLibrary, typed: object) -> Selection:
    """Return the selection that also asks for what was typed: the form, campaign, ad group, ad or lead that it names,
    else people, as digests.
    """
    if typed in (None, ""):
        return selection
    if not isinstance(typed, str):
        raise Invalid({"q": _("Must be text.")})
    if found := narrowed_by(library, typed) if is_storable(typed) else {}:
        return replace(selection, **found)
    words = words_of(library.pk, typed)
    if not words:
        raise Invalid({"q": _("Type an e-mail, a phone number or its last six digits, or words of a name.")})
    return replace(selection, words=words)


def _read_all(library: LeadLibrary, params: Mapping[str, Any], actor: User) -> dict[str, Any]:
    """Return what `Selection` is made of, but that a label is the text that names it, and the list's order."""
    errors: dict[str, str] = {}
    given = {name: str(params[name]).strip() for name in NAMES if params.get(name) not in (None, "")}
    order = given.pop("sort", "")  # of the orders that show all leads the list knows more
    values: dict[str, Any] = {"sort": order if order in PARTIAL else ""}
    for name, text in given.items():
        try:
            if not is_storable(text):
                raise ValueError
            values |= _read(name, text, actor, library)
        except ValueError as error:
            errors[name] = str(error) or _("This value cannot be used.")
    if "version" in values and "form" not in values:
        errors.setdefault("version", _("Choose the form too: a version is one of a form."))
    if errors:
        raise Invalid(errors)
    return values


def _read(name: str, text: str, actor: User, library: LeadLibrary) -> dict[str, Any]:
    if name in OFFERED:
        return {name: _one_of(text, OFFERED[name])}
    if name in FLAGS:
        return {name: YES_NO[_one_of(text.lower(), list(YES_NO))]}
    match name:
        case "label":
            return {name: text}
        case "assignee" if text in ("me", "none"):
            return {name: actor.pk if text == "me" else 0}
        case "since" | "until":
            return {name: read_time(text, end=name == "until", zone=zone_of(library))}
        case "expiring":
            _one_of(text.lower(), ["1", "true"])
            return {name: expiring_before(library.retention_days)}
        case "region":
            return {"regions": tuple(dict.fromkeys(_one_of(one, list(REGIONS)) for one in text.split(",")))}
        case "lead":
            return {"leads": _chosen(text)}
        case "s":
            return {"words": _words(text)}
    return {name: read_id(text)}


def _chosen(text: str) -> tuple[int, ...]:
    """Read ids, refuse more than the limit: whoever left some out would work on fewer than were chosen."""
    ids = text.split(",", MOST_CHOSEN)
    if len(ids) > MOST_CHOSEN:
        raise ValueError(_("Choose at most %(limit)d leads.") % {"limit": MOST_CHOSEN})
    return tuple(dict.fromkeys(map(read_id, ids)))


def zone_of(library: LeadLibrary) -> tzinfo:
    """Return the time zone in which the ad account counts its days."""
    return ZoneInfo(library.ad_account.time_zone)


def _words(text: str) -> tuple[Word, ...]:
    try:
        return tuple(Word.decode(part) for part in text.split(".")[:MAX_WORDS])
    except ValueError as error:
        raise ValueError(_("This search link is not complete. Search again.")) from error


def read_id(text: str) -> int:
    """Return the id of a decimal string; raise `ValueError` with a sentence."""
    try:
        return id_in(text)
    except ValueError as error:
        raise ValueError(_("Use the id: a number.")) from error


def read_time(text: str, *, end: bool = False, zone: tzinfo = UTC) -> datetime:
    """Return a moment from a date in `zone` (`end`: the end of that day) or an ISO time; raise `ValueError`."""
    told = _("Use a date such as 2026-11-30, or an ISO 8601 time.")
    try:
        day = parse_date(text)
        moment = None if day else parse_datetime(text.replace(" ", "+"))
    except ValueError as error:
        raise ValueError(told) from error
    try:
        if day:
            moment = datetime.combine(day + timedelta(days=1) if end else day, time.min, zone)
        found = moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError as error:
        raise ValueError(told) from error
    if found is None or not 1 < found.year < 9999:  # at the ends of the calendar other time zones have no days
        raise ValueError(told)
    return found


def _one_of(text: str, offered: list[str]) -> str:
    if text not in offered:
        raise ValueError(_("Use one of: %(offered)s.") % {"offered": ", ".join(offered)})
    return text


Here = Mapping[str, Mapping[Any, int]]


def _here(library: LeadLibrary, many: Collection[Mapping[str, Any]]) -> Here:
    """Return by kind what these values name and the library has: its id by what names it."""
    account = library.ad_account_id
    places: dict[str, QuerySet[Any]] = {
        "form": Form.objects.filter(ad_account_id=account),
        "campaign": Campaign.objects.filter(ad_account_id=account),
        "ad_group": AdGroup.objects.filter(campaign__ad_account_id=account),
        "ad": Ad.objects.filter(ad_group__campaign__ad_account_id=account),
    }
    found: dict[str, Mapping[Any, int]] = {}
    for kind, rows in places.items():
        if named := {values[kind] for values in many if kind in values}:
            found[kind] = {pk: pk for pk in rows.filter(pk__in=named).values_list("pk", flat=True)}
    if texts := {values["label"] for values in many if "label" in values}:
        found["label"] = _labels(library, texts)
    return found


def _labels(library: LeadLibrary, texts: Collection[str]) -> dict[str, int]:
    """Return the ids of labels by the texts that name them: a name goes before an id."""
    ids: dict[str, int] = {}
    for text in texts:
        with suppress(ValueError):
            ids[text] = id_in(text)
    labels = Label.objects.filter(library=library).filter(Q(name__in=texts) | Q(pk__in=ids.values()))
    known = dict(labels.values_list("name", "pk"))
    return {text: pk for text, pk in ids.items() if pk in known.values()} | known


def _is_here(values: Mapping[str, Any], here: Here) -> bool:
    return all(values[kind] in here.get(kind, ()) for kind in NAMED if kind in values)


def _selected(values: Mapping[str, Any], here: Here) -> Selection:
    return Selection(**{**values, **({"label": here["label"][values["label"]]} if "label" in values else {})})
