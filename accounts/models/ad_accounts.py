from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from accounts.models.business_centers import BusinessCenter
from accounts.models.people import User
from leadscenter.lib.ids import IdField


class AccountRole(models.TextChoices):
    ADMINISTRATOR = "administrator", _("Administrator")
    OPERATOR = "operator", _("Operator")
    ANALYST = "analyst", _("Analyst")


class AdAccount(models.Model):
    """Where campaigns and forms belong. Who may do what with it stands in `AdAccountUserPermission`."""

    id = IdField()
    name = models.CharField(max_length=120)
    business_center = models.ForeignKey(BusinessCenter, models.PROTECT, related_name="ad_accounts")
    currency = models.CharField(max_length=3, default="USD")
    time_zone = models.CharField(max_length=40, default="UTC")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()  # no global permission may exist that opens every account
        permissions = [
            ("belong_adaccount", "May know that the ad account exists"),
            ("view_campaigns", "View Lead Ads campaign"),
            ("edit_campaigns", "Create & edit Lead Ads campaign"),
            ("view_forms", "View instant forms"),
            ("edit_forms", "Create & edit instant forms"),
            ("manage_members", "Manage members"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountShare(models.Model):
    """An ad account lent to a partner Business Center at a role: its Admins hold that role and give it to their people.

    It carries no right to leads unless an Administrator of the account switched `leads_too` on, in the custody
    `leads_custody`: a transfer ends it. Never more than viewing, working on, downloading and deleting leads.
    """

    id = IdField()
    ad_account = models.ForeignKey(AdAccount, models.CASCADE, related_name="shares")
    partner = models.ForeignKey(BusinessCenter, models.CASCADE, related_name="shares")
    role = models.CharField(max_length=13, choices=AccountRole)
    leads_too = models.BooleanField(default=False)
    leads_custody = models.PositiveIntegerField(null=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # Two shares to one partner would have two roles.
            models.UniqueConstraint(fields=["ad_account", "partner"], name="account_shared_once_with_partner"),
            # Whoever may not see leads as a member may not see them through a share either.
            models.CheckConstraint(
                condition=models.Q(leads_too=False) | models.Q(role="administrator", leads_custody__isnull=False),
                name="leads_are_shared_with_administrators",
            ),
        ]

    def __str__(self) -> str:
        return f"share of {self.ad_account_id} with {self.partner_id}"


class AccountMembership(models.Model):
    """The source of truth for a role; guardian's rows derive from it in the same transaction.

    With a `share` it is a partner's person: it holds at most the share's role, and while they belong to the partner.
    """

    id = IdField()
    ad_account = models.ForeignKey(AdAccount, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="account_memberships")
    share = models.ForeignKey(AccountShare, models.CASCADE, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=13, choices=AccountRole)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # A person has one role in an ad account.
            models.UniqueConstraint(fields=["ad_account", "user"], name="account_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id} of {self.ad_account_id}"


class LeadLibrary(models.Model):
    """The leads, CRM connections, retention and privacy requests of one ad account's forms.

    `custody` grows by one at each accepted transfer. Whatever outlives a request and can reach leads stores the custody
    in which it was made or confirmed and works only while the two are equal.
    """

    id = IdField()
    ad_account = models.OneToOneField(AdAccount, models.PROTECT, related_name="library")
    custodian = models.ForeignKey(BusinessCenter, models.PROTECT, related_name="libraries")
    custody = models.PositiveIntegerField(default=1)
    retention_days = models.PositiveSmallIntegerField(default=90)
    contact_goal_minutes = models.PositiveIntegerField(default=60)
    mail_names = models.BooleanField(default=False, db_default=False)  # else no mail holds anything of a lead
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "lead libraries"
        default_permissions = ()
        permissions = [
            ("belong_library", "May know that the lead library exists"),
            ("view_leads", "View leads"),
            ("work_leads", "Work on leads"),
            ("download_leads", "Download leads"),
            ("delete_leads", "Delete leads"),
            ("connect_crm", "Connect a CRM"),
            ("manage_privacy", "Manage privacy and retention"),
            ("view_trail", "View the audit trail"),
            ("hand_over", "Transfer leads access"),
        ]
        constraints = [
            # Kept at least a day, at most ten years: a typing error must neither purge at once nor keep for ever.
            models.CheckConstraint(
                condition=models.Q(retention_days__gte=1, retention_days__lte=3650), name="retention_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"lead library {self.pk}"

    @property
    def is_transferred(self) -> bool:
        """Whether another Business Center than the owner of the ad account holds the leads (a query if unfetched)."""
        return bool(self.custodian_id != self.ad_account.business_center_id)


class AdAccountUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(AdAccount, models.CASCADE, related_name="user_permissions")

    class Meta(UserObjectPermissionBase.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="ad_account_holders")]


class LeadLibraryUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(LeadLibrary, models.CASCADE, related_name="user_permissions")

    class Meta(UserObjectPermissionBase.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="library_holders")]
