"""The page forms of campaigns, ad groups and ads; what may be in them is the services' to judge."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import AdAccount
from campaigns.models import Ad, AdGroup, Campaign, Status
from campaigns.services.ads import BUTTON, HEADLINE, TEXT, Creative
from campaigns.services.campaigns import MAX_BUDGET, Plan
from campaigns.services.wording import MAX_NAME
from forms_builder.models import Form


class DayInput(forms.DateInput):
    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        """Return the day as browsers want it, whatever the language."""
        return value.isoformat() if hasattr(value, "isoformat") else super().format_value(value)


class CampaignForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME)
    budget = forms.DecimalField(
        label=_("Budget"), min_value=Decimal("0.01"), max_value=Decimal(MAX_BUDGET) / 100, decimal_places=2
    )
    budget_kind = forms.ChoiceField(label=_("Budget is"), choices=Campaign.BudgetKind.choices)
    starts_on = forms.DateField(label=_("Starts on"), widget=DayInput, help_text=_("Days are UTC."))
    ends_on = forms.DateField(label=_("Ends on"), widget=DayInput, required=False)
    status = forms.ChoiceField(label=_("Status"), choices=Status.choices, initial=Status.ACTIVE)

    @staticmethod
    def of(campaign: Campaign) -> dict[str, Any]:
        """Return the initial values for a campaign."""
        names = ("name", "budget_kind", "starts_on", "ends_on", "status")
        return {name: getattr(campaign, name) for name in names} | {"budget": Decimal(campaign.budget_cents) / 100}

    def plan(self) -> Plan:
        """Return what was filled in."""
        values = dict(self.cleaned_data)
        return Plan(budget_cents=int(values.pop("budget") * 100), **values)


class AdGroupForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME)
    status = forms.ChoiceField(label=_("Status"), choices=Status.choices, initial=Status.ACTIVE)

    @staticmethod
    def of(group: AdGroup) -> dict[str, Any]:
        """Return the initial values for an ad group."""
        return {"name": group.name, "status": group.status}


class AdForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, help_text=_("Only your team sees it."))
    headline = forms.CharField(label=_("Headline"), max_length=HEADLINE)
    text = forms.CharField(label=_("Text"), max_length=TEXT, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    button = forms.CharField(label=_("Button"), max_length=BUTTON, initial="Learn more")
    form = forms.TypedChoiceField(label=_("Form that it opens"), coerce=int)
    status = forms.ChoiceField(label=_("Status"), choices=Status.choices, initial=Status.ACTIVE)

    def __init__(self, *args: Any, ad_account: AdAccount, kept: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Form.objects.filter(ad_account=ad_account, removed_at=None).order_by("name", "pk")
        choices = [(row.pk, row.name) for row in rows if row.status != Form.Status.ARCHIVED or row.pk == kept]
        self.fields["form"].choices = choices  # type: ignore[attr-defined]

    @staticmethod
    def of(ad: Ad) -> dict[str, Any]:
        """Return the initial values for an ad."""
        names = ("name", "headline", "text", "button", "status")
        return {name: getattr(ad, name) for name in names} | {"form": ad.form_id}

    def creative(self) -> Creative:
        """Return what was filled in."""
        values = dict(self.cleaned_data)
        return Creative(form_id=values.pop("form"), **values)
