"""What platform staff see of people, Business Centers and accounts, and the few acts that are theirs."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.authentication import actor_of
from accounts.models import (
    AccountMembership,
    AdAccount,
    AuditEvent,
    BusinessCenter,
    BusinessCenterMember,
    Recovery,
    Scope,
    Transfer,
    User,
)
from accounts.refusals import Conflict
from accounts.services import staff
from accounts.services.people import set_active
from accounts.staff_site import StaffAdmin, site

if TYPE_CHECKING:  # generic in the stubs alone
    NewCenter = forms.ModelForm[BusinessCenter]
else:
    NewCenter = forms.ModelForm


@admin.register(User, site=site)
class UserAdmin(StaffAdmin):
    """People who can sign in. Their passwords, tokens, sessions and e-mails are their own."""

    list_display = ("email", "name", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    fields = ("id", "email", "name", "is_active", "is_staff", "created_at", "last_login")
    ordering = ("-id",)
    actions = ("deactivate",)

    @admin.action(description=_("Switch off: ends every right, token and session now"))
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Switch people off, never oneself."""
        people = [user for user in queryset if user.is_active and user.pk != request.user.pk]
        for user in people:
            set_active(actor=actor_of(request), user=user, active=False)
        text = ngettext("%(n)d person was switched off.", "%(n)d people were switched off.", len(people))
        self.told(request, text % {"n": len(people)})


class InvitationForm(NewCenter):
    """A new Business Center and who is invited to run it."""

    admin_email = forms.EmailField(label=_("E-mail of the first Admin"), max_length=254)
    admin_name = forms.CharField(label=_("Name of the first Admin"), max_length=120, required=False)

    class Meta:
        model = BusinessCenter
        fields = ("name",)

    def clean_admin_email(self) -> str:
        """Platform staff belong to no tenant; who is switched off cannot run one."""
        email = str(self.cleaned_data["admin_email"]).strip().lower()
        found = User.objects.filter(email=email).first()
        if found and (found.is_staff or found.is_superuser or not found.is_active):
            raise forms.ValidationError(_("This person cannot run a Business Center: platform staff, or switched off."))
        return email


@admin.register(BusinessCenter, site=site)
class BusinessCenterAdmin(StaffAdmin):
    """Companies. Staff begin one by inviting its first Admin, and can switch one off."""

    list_display = ("name", "is_active", "people", "accounts", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name",)
    fields = ("id", "name", "is_active", "created_at")
    ordering = ("-id",)
    actions = ("deactivate", "invite_again")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let staff begin a Business Center."""
        return self.has_module_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BusinessCenter]:
        """Count members and accounts with the list."""
        rows: QuerySet[BusinessCenter] = super().get_queryset(request)
        return rows.annotate(
            people_count=Count("members", distinct=True), account_count=Count("ad_accounts", distinct=True)
        )

    @admin.display(description=_("Members"))
    def people(self, row: Any) -> int:
        """Return how many people belong to it."""
        return int(row.people_count)

    @admin.display(description=_("Ad accounts"))
    def accounts(self, row: Any) -> int:
        """Return how many ad accounts it owns."""
        return int(row.account_count)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask for the first Admin when one is begun."""
        return InvitationForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the invitation's fields when one is begun."""
        return ("name", "admin_email", "admin_name") if obj is None else self.fields

    def save_model(self, request: HttpRequest, obj: BusinessCenter, form: Any, change: bool) -> None:
        """Invite; the service makes the row."""
        made = staff.invite_business_center(
            actor=actor_of(request),
            name=obj.name,
            email=form.cleaned_data["admin_email"],
            admin_name=form.cleaned_data["admin_name"],
        )
        obj.pk = made.pk

    @admin.action(description=_("Switch off: ends every right that its members hold through it"))
    def deactivate(self, request: HttpRequest, queryset: QuerySet[BusinessCenter]) -> None:
        """Switch Business Centers off."""
        centers = list(BusinessCenter.objects.filter(pk__in=queryset.values("pk"), is_active=True))
        for center in centers:
            staff.set_center_active(actor=actor_of(request), business_center=center, active=False)
        text = ngettext("%(n)d was switched off.", "%(n)d were switched off.", len(centers))
        self.told(request, text % {"n": len(centers)})

    @admin.action(description=_("Send the invitation again"))
    def invite_again(self, request: HttpRequest, queryset: QuerySet[BusinessCenter]) -> None:
        """Send the invitation again to Admins who have no password yet."""
        for center in queryset:
            try:
                staff.invite_again(actor=actor_of(request), business_center=center)
            except Conflict as conflict:
                self.message_user(request, f"{center}: {conflict.detail}", messages.WARNING)
            else:
                self.told(request, _("%(name)s: sent.") % {"name": center})


@admin.register(BusinessCenterMember, site=site)
class BusinessCenterMemberAdmin(StaffAdmin):
    """Who belongs to which Business Center."""

    list_display = ("user", "business_center", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "business_center")
    fields = ("id", "user", "business_center", "role", "created_at")
    ordering = ("-id",)


@admin.register(Recovery, site=site)
class RecoveryAdmin(StaffAdmin):
    """Recoveries of Business Centers without Admins; asked for and cancelled by a command alone."""

    list_display = ("business_center", "user", "state", "asked_at", "effective_at")
    list_filter = ("state",)
    list_select_related = ("business_center", "user")
    fields = ("id", "business_center", "user", "state", "asked_at", "effective_at", "closed_at")
    ordering = ("-id",)


@admin.register(AdAccount, site=site)
class AdAccountAdmin(StaffAdmin):
    """Ad accounts."""

    list_display = ("name", "business_center", "currency", "created_at")
    list_select_related = ("business_center",)
    search_fields = ("name",)
    fields = ("id", "name", "business_center", "currency", "time_zone", "created_at")
    ordering = ("-id",)


@admin.register(AccountMembership, site=site)
class AccountMembershipAdmin(StaffAdmin):
    """Who has which role in which ad account."""

    list_display = ("user", "ad_account", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "ad_account")
    fields = ("id", "user", "ad_account", "role", "created_at")
    ordering = ("-id",)


@admin.register(Transfer, site=site)
class TransferAdmin(StaffAdmin):
    """Transfers of leads access, decided by the two sides alone."""

    list_display = ("id", "from_business_center", "to_business_center", "state", "requested_at", "decided_at")
    list_filter = ("state",)
    list_select_related = ("from_business_center", "to_business_center")
    fields = (
        "id",
        "library",
        "from_business_center",
        "to_business_center",
        "state",
        "requested_by",
        "requested_at",
        "expires_at",
        "decided_by",
        "decided_at",
    )
    ordering = ("-id",)


@admin.register(AuditEvent, site=site)
class PlatformTrailAdmin(StaffAdmin):
    """The platform's own trail. A tenant's trail is the tenant's."""

    list_display = ("at", "act", "actor", "count")
    list_select_related = ("actor",)
    fields = ("id", "at", "act", "actor", "purpose", "count")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        """Return the platform's events only."""
        rows: QuerySet[AuditEvent] = super().get_queryset(request)
        return rows.filter(scope=Scope.PLATFORM)
