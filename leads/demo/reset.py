"""Forgetting the demo's leads, for `seed_demo --reset`."""

from django.db import transaction

from accounts.models import AdAccount
from campaigns.models import AdDay
from forms_builder.models import MeasureDay, MeasureEvent
from leads.models import Delivery, DeliveryAttempt, Lead
from leads.vault.models import ConsentRecord, Note, ResponseExcerpt, SealedAnswers, SearchTerm
from leads.vault.regions import aliases

VAULT = (SealedAnswers, ConsentRecord, SearchTerm, Note, ResponseExcerpt)


@transaction.atomic
def forget_demo(accounts: list[AdAccount]) -> None:
    """Delete every lead of these ad accounts with all that came from it, and their counts."""
    libraries = [account.library.pk for account in accounts]
    for alias in aliases():
        for model in VAULT:
            model._default_manager.using(alias).filter(library_id__in=libraries).delete()
    DeliveryAttempt.objects.filter(delivery__library_id__in=libraries).delete()
    Delivery.objects.filter(library_id__in=libraries).delete()
    Lead.objects.filter(library_id__in=libraries).delete()
    forms = [form.pk for account in accounts for form in account.forms.all()]
    MeasureEvent.objects.filter(form_id__in=forms).delete()
    MeasureDay.objects.filter(form_id__in=forms).delete()
    AdDay.objects.filter(ad__ad_group__campaign__ad_account__in=accounts).delete()
