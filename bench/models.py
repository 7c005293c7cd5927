from django.db import models


class PlainRow(models.Model):
    """What intake is measured beside: one row with the same answers in clear."""

    key = models.UUIDField(unique=True)
    answers = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"row {self.pk}"


class PlainLead(models.Model):
    """What lists and exports are measured beside: the same leads with their answers in clear, one column each."""

    name = models.CharField(max_length=120)
    email = models.CharField(max_length=254)
    phone = models.CharField(max_length=20)
    company = models.CharField(max_length=120)
    city = models.CharField(max_length=120)
    job = models.CharField(max_length=120)
    address = models.CharField(max_length=400)
    zip_code = models.CharField(max_length=20)
    form = models.CharField(max_length=120)
    status = models.CharField(max_length=12)
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"plain lead {self.pk}"
