"""The labels of a library: made, renamed, joined and deleted for all its leads at once."""

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, lock_libraries, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from leads.center.selectors.labels import MOST_LABELS
from leads.center.services.working import MAX_LABEL, is_label
from leads.models import Label, LeadLabel


@transaction.atomic
def create_label(*, actor: User, library: LeadLibrary, name: str) -> Label:
    """Make a label. Raises `Refused`, `Invalid` for a name that is none, `Conflict` for one that is there."""
    library = _locked(actor, library)
    name = _name(name)
    labels = Label.objects.filter(library=library)
    if labels.filter(name=name).exists():
        raise _there(name)
    if labels.count() >= MOST_LABELS:
        raise Conflict("too_many_labels", _("A library has at most %(limit)d labels.") % {"limit": MOST_LABELS})
    label = Label.objects.create(library=library, name=name)
    _record(actor, label, "made")
    return label


@transaction.atomic
def rename_label(*, actor: User, label: Label, name: str) -> Label:
    """Rename a label on every lead that carries it. Raises as `create_label`."""
    library = _locked(actor, label.library)
    label, name = _fresh(label), _name(name)
    if Label.objects.filter(library=library, name=name).exclude(pk=label.pk).exists():
        raise _there(name)
    if label.name != name:
        _record(actor, label, "renamed")
        Label.objects.filter(pk=label.pk).update(name=name)
        label.name = name
    return label


@transaction.atomic
def delete_label(*, actor: User, label: Label) -> int:
    """Delete a label and take it off every lead; the leads stay. Return how many carried it."""
    _locked(actor, label.library)
    label = _fresh(label)
    carried = LeadLabel.objects.filter(label=label).count()
    _record(actor, label, "deleted", carried)
    label.delete()
    return carried


def _locked(actor: User, library: LeadLibrary) -> LeadLibrary:
    require(actor, Can.WORK_LEADS, library)
    locked = lock_libraries(LeadLibrary.objects.filter(pk=library.pk))[0]
    require(actor, Can.WORK_LEADS, locked)
    return locked


def _fresh(label: Label) -> Label:
    found = Label.objects.select_related("library").filter(pk=label.pk).first()
    if found is None:
        raise Http404
    return found


def _name(name: str) -> str:
    if not is_label(name):
        raise Invalid(
            {"name": _("A label has 1 to %(limit)d characters and is no person's data.") % {"limit": MAX_LABEL}}
        )
    return name.strip()


def _there(name: str) -> Conflict:
    return Conflict("label_there", _("There is a label “%(name)s” already.") % {"name": name})


def _record(actor: User, label: Label, what: str, count: int = 1) -> None:
    audit.record(Act.LIBRARY_CHANGED, label.library, actor=actor, targets=[label.pk], count=max(count, 1), label=what)
