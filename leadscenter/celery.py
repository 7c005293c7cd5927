"""The Celery application. Tasks are clockwork: each calls one service; the broker carries ticks, never data."""

import os
from importlib import import_module

from celery import Celery
from celery.signals import worker_process_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscenter.settings")
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "60000")

app = Celery("leadscenter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(
    [
        "leads.crm",
        "leads.exports",
        "leads.imports",
        "leads.privacy",
        "leads.intake",
        "leads.center",
        "leads.marketing_api",
    ]
)


@worker_process_init.connect
def start_reporting(**kwargs: object) -> None:
    """Report errors of tasks, where the operator wants reports."""
    if settings.SENTRY_DSN:
        import_module("leadscenter.reporting").start_reporting(settings.SENTRY_DSN)
