from django.conf import settings

from leadscenter.celery import app


def test_every_scheduled_task_exists_and_takes_nothing() -> None:
    app.loader.import_default_modules()
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["task"] in app.tasks, name
        assert "args" not in entry
        assert "kwargs" not in entry
        assert entry["options"]["expires"] > 0


def test_the_broker_speaks_json_only_and_keeps_no_results() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.result_backend is None
    assert app.conf.task_acks_late is True
