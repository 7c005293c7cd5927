"""A well-formed submission becomes a lead: the version that was shown judges it, for the page and the API alike."""

import time
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.circumstances import circumstances as around
from accounts.circumstances import country_in
from campaigns.models import Ad
from forms_builder.answers import Clean, Problems, answer_rows, outcome_of, validator_for
from forms_builder.selectors import ServedForm, published_form, shown_version
from leads.intake.store import FormClosed, NewLead, Stored, store
from leads.intake.submission import BadSubmission, Submission
from leads.intake.throttle import network_of
from leads.models import Lead
from leads.vault.search import terms_of
from leadscenter.lib.regions import region_of

KEPT_SECONDS = 30
KEPT_VERSIONS = 1000
_kept: dict[tuple[str, int], tuple[float, ServedForm]] = {}


class NoSuchForm(Exception):
    """There is no form that takes answers under this name: unknown, never published, or archived for over 24 hours."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What we know of a submission beside its content."""

    address: str = ""
    sealed_in_browser: bool = False
    whole_visit: bool = True
    is_test: bool = False
    device: str = ""
    source: str = Lead.Source.FORM


def form_for(public_id: str, version: int) -> ServedForm:
    """Return the version that was shown; raises `NoSuchForm`, or `BadSubmission` for a version that never was.

    What a version asks never changes, so it is kept for half a minute. Whether its form still takes answers is asked
    again where the lead is written.
    """
    now = time.monotonic()
    kept = _kept.get((public_id, version))
    if kept is not None and kept[0] > now:
        return kept[1]
    served = shown_version(public_id, version)
    if served is None:
        known = published_form(public_id)
        if known is None or not known.takes_answers():
            raise NoSuchForm
        raise BadSubmission({"version": _("This version of the form was never published. Load the form again.")})
    if not served.takes_answers() or served.library_id is None:
        raise NoSuchForm
    if len(_kept) >= KEPT_VERSIONS:
        _kept.clear()
    _kept[public_id, version] = (now + KEPT_SECONDS, served)
    return served


def accept(public_id: str, submission: Submission, circumstances: Circumstances) -> Stored:
    """Judge and store a submission.

    Raises `NoSuchForm`, `BadSubmission` with an error per field, or `AlreadySubmitted`; nothing is written then.
    """
    served = form_for(public_id, submission.version)
    judged = validator_for(served.version_id, served.content)(
        submission.answers, submission.consents, submission.country
    )
    if isinstance(judged, Problems):
        raise BadSubmission(judged.errors)
    try:
        return store(new_lead(served, submission, judged, circumstances))
    except FormClosed as closed:
        raise NoSuchForm from closed


def new_lead(served: ServedForm, submission: Submission, clean: Clean, circumstances: Circumstances) -> NewLead:
    """Return what is stored: the answers with the wording that was seen, and the names of that moment."""
    assert served.library_id is not None
    ad = _attributed(served, submission.ad_id)
    group = ad.ad_group if ad else None
    content: dict[str, Any] = {
        "answers": [[row.key, row.label, row.value, row.kind] for row in answer_rows(served.content, clean.answers)],
        "form": {"id": str(served.form_id), "name": served.name, "version": served.number},
        "campaign": _named(group.campaign if group else None),
        "ad_group": _named(group),
        "ad": _named(ad),
        "attribution": submission.attribution,
        "country": clean.country or submission.country,
        "language": served.language,
        "consents": clean.consents,
    }
    return NewLead(
        library_id=served.library_id,
        form_id=served.form_id,
        version_id=served.version_id,
        version_number=served.number,
        key=submission.key,
        region=region_of(clean.country or submission.country, clean.phone, None),
        language=served.language,
        content=content,
        consents=clean.consents,
        terms=terms_of(email=clean.email, phone=clean.phone, name=clean.name),
        campaign_id=group.campaign_id if group else None,
        ad_group_id=group.pk if group else None,
        ad_id=ad.pk if ad else None,
        network_prefix=network_of(circumstances.address),
        country=around().country or country_in(clean.country or submission.country or ""),  # as its visit was counted
        device=circumstances.device,
        sealed_in_browser=circumstances.sealed_in_browser,
        is_test=circumstances.is_test,
        source=circumstances.source,
        outcome=outcome_of(served.content, clean.answers),
        whole_visit=circumstances.whole_visit,
    )


def _attributed(served: ServedForm, ad_id: int | None) -> Ad | None:
    """Return the ad if it is one of this account that opens this form; any other leaves the lead unattributed."""
    if not ad_id or ad_id >= 1 << 63:
        return None
    ads = Ad.objects.filter(pk=ad_id, form=served.form_id, ad_group__campaign__ad_account=served.ad_account_id)
    return ads.select_related("ad_group__campaign").first()


def _named(thing: Any) -> dict[str, str] | None:
    return {"id": str(thing.pk), "name": thing.name} if thing is not None else None
