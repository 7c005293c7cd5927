from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, User
from accounts.refusals import Invalid
from campaigns.models import Ad, AdDay, AdGroup, Status
from campaigns.services.wording import MAX_NAME, bad_status, bad_text, only_faults
from forms_builder.models import Form, MeasureDay, MeasureEvent

HEADLINE, TEXT, BUTTON = 100, 500, 30


@dataclass(frozen=True, slots=True)
class Creative:
    """What can be set of an ad: its words and the form that it opens (by id, of the same ad account)."""

    name: str
    headline: str
    form_id: int
    text: str = ""
    button: str = "Learn more"
    status: str = Status.ACTIVE


@transaction.atomic
def create_ad(*, actor: User, ad_group: AdGroup, creative: Creative) -> Ad:
    """Make an ad; its link is `/go/<public_id>/`. Raises `Refused`, `Invalid`."""
    account = ad_group.campaign.ad_account
    require(actor, Can.EDIT_CAMPAIGNS, account)
    ad = _apply(Ad(ad_group=ad_group), creative, account.pk)
    audit.record(Act.CAMPAIGN_SAVED, account, actor=actor, targets=[ad.pk], level="ad")
    ad.save(force_insert=True)
    return Ad.objects.select_related("ad_group__campaign__ad_account", "form").get(pk=ad.pk)


@transaction.atomic
def change_ad(*, actor: User, ad: Ad, creative: Creative) -> Ad:
    """Change an ad. Leads that came before keep their attribution and their form. Raises `Refused`, `Invalid`."""
    account = ad.ad_group.campaign.ad_account
    require(actor, Can.EDIT_CAMPAIGNS, account)
    _apply(ad, creative, account.pk)
    audit.record(Act.CAMPAIGN_SAVED, account, actor=actor, targets=[ad.pk], level="ad")
    ad.save(update_fields=["name", "headline", "text", "button", "form", "status"])
    return ad


@transaction.atomic
def delete_ad(*, actor: User, ad: Ad) -> bool:
    """Delete an ad that nobody ever clicked or paid for; archive and hide any other. Raises `Refused`."""
    account = ad.ad_group.campaign.ad_account
    require(actor, Can.EDIT_CAMPAIGNS, account)
    forms = Form.objects.filter(ad_account=account).values("pk")  # it may have opened another form before
    gone = not (
        AdDay.objects.filter(ad=ad).exists()
        or MeasureDay.objects.filter(form_id__in=forms, ad_id=ad.pk).exists()
        or MeasureEvent.objects.filter(form_id__in=forms, ad_id=ad.pk).exists()
    )
    audit.record(Act.CAMPAIGN_ARCHIVED, account, actor=actor, targets=[ad.pk], level="ad", deleted=gone)
    if gone:
        ad.delete()
    else:
        Ad.objects.filter(pk=ad.pk).update(status=Status.ARCHIVED, removed_at=Now())
    return gone


def _apply(ad: Ad, creative: Creative, ad_account_id: int) -> Ad:
    forms = Form.objects.filter(pk=creative.form_id, ad_account=ad_account_id, removed_at=None)
    faults = only_faults(
        name=bad_text(creative.name, MAX_NAME),
        headline=bad_text(creative.headline, HEADLINE),
        text=bad_text(creative.text, TEXT, needed=False),
        button=bad_text(creative.button, BUTTON),
        status=bad_status(creative.status),
        form="" if forms.exists() else _("Choose a form of this ad account."),
    )
    if faults:
        raise Invalid(faults)
    ad.name, ad.headline, ad.text = creative.name.strip(), creative.headline.strip(), creative.text.strip()
    ad.button, ad.status, ad.form_id = creative.button.strip(), creative.status, creative.form_id
    return ad
