"""Django admin for platform staff: they operate the system, read no personal data, and decide nothing about access.

What is not registered here does not exist here; what a package registers with Django's own site is not reachable. Every
page shows listed fields only, and nothing can be added, changed or deleted but by the acts that an admin class names.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

MANY = 10_000

if TYPE_CHECKING:  # generic in the stubs alone
    AnyAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyAdmin, AnyPaginator = admin.ModelAdmin, Paginator


class StaffSite(admin.AdminSite):
    """Signs in through the product's own page, so that its limits on guessing hold here too."""

    site_header = _("Holdfast, platform staff")
    site_title = _("Platform staff")
    index_title = _("Operate")

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the product's sign-in page; who is signed in and no staff is refused."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next", reverse("admin:index")))
        if not self.has_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:index"))

    def password_change(  # type: ignore[override]  # the stubs know of Django's own page alone
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the product's own page for one's own password."""
        return HttpResponseRedirect(reverse("account_change_password"))


site = StaffSite(name="admin")


class BoundedPaginator(AnyPaginator):
    """Counts up to a bound, so that a list of millions costs what a short one costs."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most the bound."""
        rows = self.object_list
        return rows[:MANY].count() if isinstance(rows, QuerySet) else len(rows)


class StaffAdmin(AnyAdmin):
    """Shows `fields` and lists `list_display`; changes nothing. Rights of groups and superusers make no difference."""

    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the models to active staff."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Show the rows to active staff."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Add nothing."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Change nothing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Delete nothing."""
        return False

    def told(self, request: HttpRequest, text: str) -> None:
        """Tell what an act did."""
        self.message_user(request, text, messages.SUCCESS)
