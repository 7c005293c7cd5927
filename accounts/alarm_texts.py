"""What an alarm says to a person: what happened, what was kept, what to do. Ids, numbers and names of the team."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Alarm, ApiToken


@dataclass(frozen=True, slots=True)
class Told:
    """Three sentences."""

    happened: str
    kept: str
    todo: str


def told(alarm: Alarm) -> Told:
    """Return the words of an alarm whose library, account and actor are at hand."""
    values = {
        **dict.fromkeys(("leads", "of", "mean", "country", "values", "purpose", "fault"), "–"),
        **alarm.detail,
        "who": str(alarm.actor) if alarm.actor else _("Somebody"),
        "account": alarm.library.ad_account.name,
    }
    return TEXTS[Alarm.Kind(alarm.kind)](alarm, values)


def _large_download(alarm: Alarm, values: dict[str, object]) -> Told:
    return Told(
        _("%(who)s downloaded or read by API %(leads)s of the %(of)s leads of %(account)s within 24 hours.") % values,
        _("Each download stands in the trail. A file stops where it is when the right to it ends."),
        _("Ask %(who)s. If it was not meant, take the role away: it works with the next request.") % values,
    )


def _many_reveals(alarm: Alarm, values: dict[str, object]) -> Told:
    return Told(
        _("%(who)s revealed contact details of %(account)s %(leads)s times today; usual is %(mean)s a day.") % values,
        _("Each reveal stands in the trail, lead by lead."),
        _("Ask %(who)s. If it was not meant, take the role away: it works with the next request.") % values,
    )


def _new_country(alarm: Alarm, values: dict[str, object]) -> Told:
    return Told(
        _("%(who)s read leads of %(account)s from %(country)s, for the first time in 90 days.") % values,
        _("Each look stands in the trail with its country."),
        _("Ask %(who)s. If it was somebody else, the password and the API tokens must be changed now.") % values,
    )


def _new_token(alarm: Alarm, values: dict[str, object]) -> Told:
    token = ApiToken.objects.filter(pk=alarm.detail.get("token") or 0).first()
    values["token"] = token.name if token else "–"
    return Told(
        _("The API token “%(token)s” of %(who)s read leads of %(account)s for the first time.") % values,
        _("Each reading by it stands in the trail."),
        _("If nobody knows what it is for, %(who)s ends it at API tokens: it is refused at once.") % values,
    )


def _unopenable(alarm: Alarm, values: dict[str, object]) -> Told:
    happened = ngettext(
        "%(values)s sealed value of %(account)s did not open: it was changed or moved, or its key is gone.",
        "%(values)s sealed values of %(account)s did not open: they were changed or moved, or their key is gone.",
        int(alarm.detail.get("values", 1)),
    )
    return Told(
        happened % values,
        _("Nothing of them was shown or sent. Everything else opens as before."),
        _("Tell whoever runs this server: it is damage, or somebody wrote into the database."),
    )


def _trail_broken(alarm: Alarm, values: dict[str, object]) -> Told:
    return Told(
        _("The trail of %(account)s does not verify: %(fault)s.") % values,
        _("Everything that is still there was kept as it is, and nothing was signed since."),
        _("Keep the mails with the signed heads. Ask whoever runs this server to run verify_audit and to explain."),
    )


TEXTS: dict[Alarm.Kind, Callable[[Alarm, dict[str, object]], Told]] = {
    Alarm.Kind.LARGE_DOWNLOAD: _large_download,
    Alarm.Kind.MANY_REVEALS: _many_reveals,
    Alarm.Kind.NEW_COUNTRY: _new_country,
    Alarm.Kind.NEW_TOKEN: _new_token,
    Alarm.Kind.UNOPENABLE: _unopenable,
    Alarm.Kind.TRAIL_BROKEN: _trail_broken,
}
