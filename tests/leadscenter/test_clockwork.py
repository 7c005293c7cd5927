import re
from typing import Any

from django.conf import settings
from kombu import Queue

from leads.exports.services import running as exports
from leads.imports.services import running as imports
from leadscenter.celery import app
from leadscenter.supervisor import commands


def test_every_scheduled_task_exists_and_takes_nothing() -> None:
    app.loader.import_default_modules()
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["task"] in app.tasks, name
        assert "args" not in entry
        assert "kwargs" not in entry
        assert entry["options"]["expires"] > 0


QUEUES = {"drain": "celery", "seal_trail": "celery", "run_exports": "files", "run_imports": "files"}


def queue_of(task: str) -> Queue:
    """The queue that a tick of the task goes to."""
    queue: Queue = app.amqp.router.route({}, task)["queue"]
    return queue


def test_what_works_on_files_for_minutes_has_a_queue_of_its_own() -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE
    found = {name: queue_of(schedule[name]["task"]) for name in QUEUES}
    assert {name: queue.name for name, queue in found.items()} == QUEUES
    assert {name: queue.routing_key for name, queue in found.items()} == QUEUES  # no tick reaches both
    made = {entry["task"] for entry in schedule.values() if queue_of(entry["task"]).name == "files"}
    assert made == set(settings.CELERY_TASK_ROUTES)


def test_each_queue_has_a_worker_in_one_terminal_and_in_containers() -> None:
    one_terminal = [command for command in commands(8000).values() if "worker" in command]
    containers = re.findall(r"command: \[celery, .*, worker, (.*)\]", (settings.BASE_DIR / "compose.yaml").read_text())
    for found in ([" ".join(command) for command in one_terminal], [one.replace(",", "") for one in containers]):
        assert sorted(re.findall(r"--queues (\w+)", " ".join(found))) == sorted(settings.CELERY_TASK_QUEUES)
        assert len(found) == len(settings.CELERY_TASK_QUEUES)


def test_a_worker_that_names_no_queue_takes_all() -> None:
    assert set(app.amqp.queues.consume_from) == set(settings.CELERY_TASK_QUEUES)


def test_ticks_for_files_outlast_the_work_on_one_so_that_exports_and_imports_take_turns() -> None:
    for name, budget in (("run_exports", exports.BUDGET_SECONDS), ("run_imports", imports.BUDGET_SECONDS)):
        assert settings.CELERY_BEAT_SCHEDULE[name]["options"]["expires"] > budget


def test_a_workbook_ends_by_itself_before_its_worker_is_ended() -> None:
    app.loader.import_default_modules()
    task: Any = app.tasks["leads.run_exports"]
    assert exports.BUDGET_SECONDS + exports.BUILD_SECONDS < task.soft_time_limit < task.time_limit
    limits = [one.time_limit or settings.CELERY_TASK_TIME_LIMIT for one in app.tasks.values()]
    hidden = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", max(limits) + 1)
    assert max(limits) < hidden  # till then Redis hands the tick to nobody else


def test_the_broker_speaks_json_only_and_keeps_no_results() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.result_backend is None
    assert app.conf.task_acks_late is True
