"""What the list is asked for in the benchmark: each filter with a value that many leads have and one that few have."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import LeadLibrary, User
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form

Query = dict[str, str]


def filters(library: LeadLibrary) -> dict[str, Query]:
    """Return the queries of a list's URL by name. "rare": three leads have it, however many there are."""
    day = timezone.now().date()
    ids = _ids(library)
    weeks, months = day - timedelta(days=7), day - timedelta(days=80)
    old = {"since": months.isoformat(), "until": (months + timedelta(days=1)).isoformat()}
    alone: dict[str, Query] = {
        "nothing": {},
        "status, common": {"status": "raw"},
        "status, less common": {"status": "unqualified"},
        "label, common": {"label": "Call back"},
        "label, one in a hundred": {"label": "In May"},
        "label, rare": {"label": "Bench rare"},
        "assignee, common": {"assignee": "me"},
        "assignee, rare": {"assignee": ids["user"]},
        "assignee, nobody": {"assignee": "none"},
        "form, common": {"form": ids["form"]},
        "form, rare": {"form": ids["rare_form"]},
        "form and version": {"form": ids["form"], "version": "1"},
        "campaign, common": {"campaign": ids["campaign"]},
        "campaign, rare": {"campaign": ids["rare_campaign"]},
        "ad group, common": {"ad_group": ids["group"]},
        "ad group, rare": {"ad_group": ids["rare_group"]},
        "ad, common": {"ad": ids["ad"]},
        "ad, rare": {"ad": ids["rare_ad"]},
        "since a week ago": {"since": weeks.isoformat()},
        "two days, 80 days ago": old,
        "region, common": {"region": "us"},
        "region, rare": {"region": "row"},
        "source, common": {"source": "form"},
        "source, rare": {"source": "import"},
        "outcome, common": {"outcome": "preferred"},
        "outcome, rare": {"outcome": "not_preferred"},
        "duplicates": {"duplicate": "1"},
        "no duplicates": {"duplicate": "0"},
        "tests": {"test": "1"},
        "no tests": {"test": "0"},
        "quarantined": {"state": "quarantined"},
        "in the trash": {"state": "trashed"},
        "viewed": {"viewed": "1"},
        "not viewed": {"viewed": "0"},
        "downloaded": {"downloaded": "1"},
        "not downloaded": {"downloaded": "0"},
        "expiring": {"expiring": "1"},
    }
    states = ("undelivered", "failed", "retrying", "paused", "delivered", "none")
    together: dict[str, Query] = {
        "status and label": {"status": "qualified", "label": "Own roof"},
        "status and rare label": {"status": "raw", "label": "Bench rare"},
        "form and since": {"form": ids["form"], "since": weeks.isoformat()},
        "rare form and status": {"form": ids["rare_form"], "status": "raw"},
        "assignee and status": {"assignee": "me", "status": "contacted"},
        "assignee, label and form": {"assignee": "me", "label": "Call back", "form": ids["form"]},
        "region and campaign": {"region": "eu", "campaign": ids["campaign"]},
        "undelivered and form": {"delivery": "undelivered", "form": ids["form"]},
        "unassigned and expiring": {"assignee": "none", "expiring": "1"},
        "not viewed, by form": {"viewed": "0", "form": ids["form"]},
    }
    sorted_: dict[str, Query] = {
        "sorted by attention": {"sort": "attention"},
        "sorted by attention, of one's own": {"sort": "attention", "assignee": "me"},
        "sorted by attention, of one form": {"sort": "attention", "form": ids["form"]},
        "sorted by attention, rare assignee": {"sort": "attention", "assignee": ids["user"]},
        "sorted by change": {"sort": "change"},
        "sorted by change, of one status": {"sort": "change", "status": "converted"},
        "sorted by change, of one's own": {"sort": "change", "assignee": "me"},
        "sorted by change, rare assignee": {"sort": "change", "assignee": ids["user"]},
    }
    return alone | {f"delivery, {state}": {"delivery": state} for state in states} | together | sorted_


def _ids(library: LeadLibrary) -> dict[str, str]:
    account = library.ad_account_id
    forms = Form.objects.filter(ad_account=account)
    campaigns = Campaign.objects.filter(ad_account=account)
    groups = AdGroup.objects.filter(campaign__ad_account=account)
    ads = Ad.objects.filter(ad_group__campaign__ad_account=account)
    found = {
        "user": User.objects.get(name="Bench Rare"),
        "form": forms.get(name="Bench quote"),
        "rare_form": forms.get(name="Bench rare"),
        "campaign": campaigns.get(name="Bench autumn"),
        "rare_campaign": campaigns.get(name="Bench rare"),
        "group": groups.get(name="Bench autumn, group 1"),
        "rare_group": groups.get(name="Bench rare, group 2"),
        "ad": ads.get(name="Bench quote, 1", ad_group__name="Bench autumn, group 1"),
        "rare_ad": ads.get(name="Bench rare, 2", ad_group__name="Bench rare, group 2"),
    }
    return {name: str(thing.pk) for name, thing in found.items()}
