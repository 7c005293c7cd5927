import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import override_settings

from leadscenter import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget_what_was_migrated() -> None:
    health.no_migration_is_left.cache_clear()


def test_live_and_ready_answer_200(client: Client) -> None:
    assert client.get("/healthz/live").json() == {"status": "ok"}
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json()["regions"] == {"eu": "ok", "us": "ok", "row": "ok"}
    assert answer.cookies == {}


def test_ready_does_not_depend_on_the_broker(client: Client) -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["broker"]) == (200, "down")


def test_ready_is_503_while_a_migration_is_missing(client: Client) -> None:
    latest = MigrationRecorder(connection).migration_qs.filter(app="accounts").latest("id")
    latest.delete()
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "pending")
