"""The question rail: who saw each question of a form, and who left there."""

from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext as _

from forms_builder import measures
from forms_builder.models import FormVersion
from forms_builder.selectors import content_of
from leads.center.overview.asking import Scope

MANY = 0.2
"""A share of leavers above this is marked."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A question on the rail. `left` is the share of those who saw it and came no further; None: nobody saw it.

    Counts alone tell who came no further: those who saw this question less the most who saw a later one or submitted.
    """

    key: str
    label: str
    saw: int
    left: float | None
    height: str
    y: str
    many: bool


@dataclass(frozen=True, slots=True)
class Rail:
    form: str
    version: int
    stops: tuple[Stop, ...]
    summary: str
    form_id: int


def rail_of(scope: Scope) -> Rail | None:
    """Return the rail of the form that is asked for, or of the one that most saw; None where nothing was seen."""
    asked = scope.asked
    seen = measures.seen_questions(scope.forms, since=asked.since, until=asked.until, ad_ids=scope.ads)
    by_form: dict[int, int] = {}
    for (form_id, _question), number in seen.items():
        by_form[form_id] = max(by_form.get(form_id, 0), number)
    if not by_form:
        return None
    form_id = max(by_form, key=lambda one: (by_form[one], one))
    version = FormVersion.objects.filter(form=form_id, form__published=F("pk")).first()
    if version is None:
        return None
    questions = content_of(version.pk, version.content).questions
    counted = measures.counts([form_id], since=asked.since, until=asked.until, ad_ids=scope.ads).get(None)
    submits = counted.submit if counted else 0
    saw = [seen.get((form_id, question.key), 0) for question in questions]
    highest = max([1, *saw])
    stops = tuple(
        _stop(question.key, question.label, saw[place], max([submits, *saw[place + 1 :]]), highest)
        for place, question in enumerate(questions)
    )
    return Rail(scope.forms[form_id], version.number, stops, _summary(stops), form_id)


def _stop(key: str, label: str, saw: int, further: int, highest: int) -> Stop:
    left = max(saw - further, 0) / saw if saw else None
    height = saw / highest * 100
    return Stop(key, label, saw, left, f"{height:.1f}%", f"{100 - height:.1f}%", left is not None and left >= MANY)


def _summary(stops: tuple[Stop, ...]) -> str:
    worst = max((stop for stop in stops if stop.left), key=lambda stop: stop.left or 0, default=None)
    if worst is None or worst.left is None:
        return _("Nobody who saw a question left before submitting.")
    return _("“%(question)s” loses %(share)s of the people who see it.") % {
        "question": worst.label,
        "share": f"{worst.left * 100:.0f} %",
    }
