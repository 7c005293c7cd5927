"""Finding libraries and leads for somebody who asks by id. What is not theirs is not there."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.access import Can, require, visible
from accounts.models import LeadLibrary, User
from accounts.zones import follow
from leads.center.selectors.counting import count_all, counting
from leads.models import Lead
from leads.selection import Selection

COUNTED_AT_MOST = 10_001
SHOWN = (Lead.State.LIVE, Lead.State.QUARANTINED)


def library_of(library_id: int) -> LeadLibrary:
    """Return the library with its account and custodian, or 404; the right is asked by whoever uses it.

    A page about it shows moments in the account's time zone from here on, as with `lead_of`.
    """
    rows = LeadLibrary.objects.select_related("ad_account__business_center", "custodian")
    library = get_object_or_404(rows, pk=library_id)
    follow(library.ad_account)
    return library


def libraries_of(actor: User) -> list[LeadLibrary]:
    """Return the libraries that the actor may know of, by the name of their ad account."""
    rows = LeadLibrary.objects.select_related("ad_account__business_center", "custodian")
    return list(visible(actor, Can.BELONG_LIBRARY, rows, "pk").order_by("ad_account__name", "pk")[:1000])


def lead_of(actor: User, lead_id: int, *, can: Can = Can.VIEW_LEADS, trashed: bool = False) -> Lead:
    """Return the lead with its library; `trashed` asks for one in the trash instead of a live one.

    Raises `Refused` for whoever may not `can`, and `Http404` where there is none: to a stranger both look the same.
    """
    rows = Lead.objects.select_related("library__ad_account__business_center", "library__custodian", "assignee")
    lead = rows.filter(pk=lead_id).first()
    if lead is None:
        raise Http404
    require(actor, can, lead.library)
    follow(lead.library.ad_account)
    if lead.state not in ((Lead.State.TRASHED,) if trashed else SHOWN):
        raise Http404
    return lead


def live_leads(library: LeadLibrary) -> str:
    """Say how many live leads the library has without tests, as words: counting stops at 10,000."""
    [all_] = count_all(library, {"all": counting(Selection())})
    return _("10,000 and more") if all_.more else f"{all_.count:,}"
