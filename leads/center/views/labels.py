"""The labels of a library: what the team sorts its leads by."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.access import Can
from accounts.declarations import allows
from accounts.refusals import Conflict, Invalid
from accounts.shell import shell
from accounts.views import person
from leads.center.selectors.labels import label_of, labels_with_counts
from leads.center.selectors.library import library_of
from leads.center.services.labelling import create_label, delete_label, rename_label
from leads.center.services.working import MAX_LABEL


class LabelForm(forms.Form):
    """The name of a label."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=MAX_LABEL,
        help_text=gettext_lazy("A word to sort leads by, such as “call back”. Never a person's name or address."),
    )


@allows(Can.WORK_LEADS, of="library")
def labels(request: HttpRequest, library_id: int) -> HttpResponse:
    """List the labels with how many leads carry each; make one."""
    actor, library = person(request), library_of(library_id)
    form = LabelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            create_label(actor=actor, library=library, name=form.cleaned_data["name"])
            messages.success(request, _("The label is made."))
            return redirect("labels", library_id)
        except (Invalid, Conflict) as error:
            form.add_error("name", _said(error))
    context = {
        "library": library,
        "form": form,
        "rows": labels_with_counts(actor, library),
        **shell(request, library=library, active="labels"),
    }
    return render(request, "leads/labels.html", context, status=400 if form.errors else 200)


@allows(Can.WORK_LEADS, of="library")
@require_POST
def label_change(request: HttpRequest, library_id: int, label_id: int) -> HttpResponse:
    """Rename a label on all leads."""
    actor, library = person(request), library_of(library_id)
    label = label_of(actor, label_id, library)
    try:
        rename_label(actor=actor, label=label, name=request.POST.get("name", ""))
        messages.success(request, _("The label is renamed on every lead."))
    except (Invalid, Conflict) as error:
        messages.error(request, _("Nothing was changed. %(why)s") % {"why": _said(error)})
    return redirect("labels", library_id)


@allows(Can.WORK_LEADS, of="library")
@require_POST
def label_delete(request: HttpRequest, library_id: int, label_id: int) -> HttpResponse:
    """Delete a label; the leads that carried it stay."""
    actor, library = person(request), library_of(library_id)
    carried = delete_label(actor=actor, label=label_of(actor, label_id, library))
    told = ngettext(
        "The label is deleted. %(n)s lead carried it and stays.",
        "The label is deleted. %(n)s leads carried it and stay.",
        carried,
    )
    messages.success(request, told % {"n": carried})
    return redirect("labels", library_id)


def _said(error: Invalid | Conflict) -> str:
    return error.detail if isinstance(error, Conflict) else error.errors["name"]
