"""Everything that comes from a person's answers. No foreign key and no join crosses this app's border."""

from django.db import models
from django.db.models.functions import Now

from leads.vault.fields import SealedField
from leads.vault.models_keys import DataKey, IndexKey, IngestKey
from leads.vault.values import Owner
from leadscenter.lib.ids import IdField

__all__ = [
    "ConsentRecord",
    "Credential",
    "DataKey",
    "IndexKey",
    "IngestKey",
    "Note",
    "ResponseExcerpt",
    "SealedAnswers",
    "SearchTerm",
]


class SealedAnswers(models.Model):
    """What a person answered, with the wording they saw, the names at capture and their browser's attribution."""

    lead_id = models.BigIntegerField(primary_key=True)
    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3)
    sealed = SealedField(seal_name="answers/1")
    digest = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "sealed answers"
        indexes = [models.Index(fields=["library_id", "region"], name="answers_of_library")]

    def __str__(self) -> str:
        return f"answers of {self.lead_id}"

    @property
    def owner(self) -> Owner:
        """The row that the answers are bound to."""
        return Owner(self.library_id, self.region, self.lead_id)


class ConsentRecord(models.Model):
    """What a person saw and ticked. The words are the version's; outlives an erasure, without the prefix.

    `imported_by` is set where nobody saw the form here: a colleague brought the lead in a file.
    """

    lead_id = models.BigIntegerField(primary_key=True)
    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3)
    version_id = models.BigIntegerField()
    language = models.CharField(max_length=12)
    boxes = models.JSONField(default=dict)
    network_prefix = models.CharField(max_length=43, blank=True)
    at = models.DateTimeField(db_default=Now())
    imported_by = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"consent of {self.lead_id}"


class SearchTerm(models.Model):
    """A digest that a lead is found by; equal values are equal within one library and region, nowhere else."""

    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3)
    digest = models.BinaryField(max_length=12)
    received_at = models.DateTimeField(db_default=Now())
    lead_id = models.BigIntegerField()
    key_version = models.PositiveSmallIntegerField(default=1, db_default=1)
    identifies = models.BooleanField(default=False, db_default=False)  # an e-mail or a phone number: one person's

    class Meta:
        indexes = [
            models.Index(fields=["library_id", "digest", "-received_at", "-lead_id"], name="search_walk"),
            models.Index(fields=["lead_id"], name="terms_of_lead"),
        ]

    def __str__(self) -> str:
        return f"term of {self.lead_id}"


class Note(models.Model):
    """What a colleague wrote about a lead, sealed like the answers."""

    id = IdField()
    lead_id = models.BigIntegerField()
    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3)
    author_id = models.BigIntegerField()
    sealed = SealedField(seal_name="note/1")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["lead_id", "created_at", "id"], name="notes_of_lead")]

    def __str__(self) -> str:
        return f"note {self.pk}"

    @property
    def owner(self) -> Owner:
        """The row that the note is bound to."""
        return Owner(self.library_id, self.region, self.pk)


class Credential(models.Model):
    """A connection's secret. Nobody's personal data: it lives in the vault of `row`, whatever the leads' regions."""

    connection_id = models.BigIntegerField(primary_key=True)
    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3, default="row")
    sealed = SealedField(seal_name="credential/1")
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"credential of {self.connection_id}"

    @property
    def owner(self) -> Owner:
        """The row that the secret is bound to."""
        return Owner(self.library_id, self.region, self.connection_id)


class ResponseExcerpt(models.Model):
    """The beginning (at most 2 KiB) of what a receiver answered; sealed, since CRMs echo people's data in errors."""

    attempt_id = models.BigIntegerField(primary_key=True)
    lead_id = models.BigIntegerField()
    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3)
    sealed = SealedField(seal_name="excerpt/1")

    class Meta:
        indexes = [models.Index(fields=["lead_id"], name="excerpts_of_lead")]

    def __str__(self) -> str:
        return f"excerpt of {self.attempt_id}"

    @property
    def owner(self) -> Owner:
        """The row that the excerpt is bound to."""
        return Owner(self.library_id, self.region, self.attempt_id)
