from django.db import models
from django.db.models.functions import Now

from leadscenter.lib.ids import IdField


class DataKey(models.Model):
    """Seals what arrives for one library, region and month. Destroyed with the last row that it seals."""

    id = IdField()
    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3)
    month = models.DateField()
    wrapping_id = models.CharField(max_length=40)
    wrapped = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "vault"
        constraints = [
            models.UniqueConstraint(fields=["library_id", "region", "month"], name="one_data_key_per_month"),
        ]

    def __str__(self) -> str:
        return f"data key {self.pk}"


class IndexKey(models.Model):
    """Makes the digests that leads of one library and region are found by."""

    id = IdField()
    library_id = models.BigIntegerField()
    region = models.CharField(max_length=3)
    wrapping_id = models.CharField(max_length=40)
    wrapped = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "vault"
        constraints = [models.UniqueConstraint(fields=["library_id", "region"], name="one_index_key_per_region")]

    def __str__(self) -> str:
        return f"index key {self.pk}"


class IngestKey(models.Model):
    """The installation's key that browsers seal answers to; `kid` names it, the public half stands in the page."""

    kid = models.CharField(max_length=12, primary_key=True)
    public_key = models.BinaryField()
    wrapping_id = models.CharField(max_length=40)
    wrapped = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "vault"

    def __str__(self) -> str:
        return f"ingest key {self.kid}"
