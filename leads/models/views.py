from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import LeadLibrary, User
from leadscenter.lib.ids import IdField


class SavedView(models.Model):
    """A filter of the list with its order, columns and layout, under a name; it works only in its own custody.

    `query` is what the URL holds: ids, words of ours and digests, never what a person typed. A shared view is shown to
    everyone who may view the library's leads; its owner alone changes it.
    """

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.CASCADE, related_name="saved_views")
    custody = models.PositiveIntegerField()
    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    query = models.JSONField(default=dict)
    shared = models.BooleanField(default=False)
    pinned = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["library", "owner", "name"], name="view_name_once"),
            models.UniqueConstraint(fields=["library", "owner"], condition=Q(is_default=True), name="one_default_view"),
        ]

    def __str__(self) -> str:
        return f"view {self.pk}"
