import json
import logging
import sys

from leadscenter.logs import JsonLine, PlainLine


def record_of_a_failure() -> logging.LogRecord:
    try:
        raise ValueError("Key (email)=(ann@example.com) already exists")
    except ValueError:
        return logging.LogRecord("app", logging.ERROR, __file__, 1, "it failed", None, sys.exc_info())


def test_neither_form_prints_the_text_of_an_exception() -> None:
    record = record_of_a_failure()
    for formatter in (JsonLine(), PlainLine()):
        line = formatter.format(record)
        assert "ValueError at test_logs.py" in line
        assert "it failed" in line
        assert "ann@example.com" not in line


def test_only_known_extras_are_printed() -> None:
    record = logging.LogRecord("app", logging.INFO, __file__, 1, "request", None, None)
    record.status, record.email = 200, "ann@example.com"
    line = json.loads(JsonLine().format(record))
    assert line["status"] == 200
    assert set(line) == {"at", "level", "logger", "message", "status"}
    assert "ann" not in PlainLine().format(record)


def test_the_path_in_a_message_of_django_is_cut_off() -> None:
    record = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "%s: %s", ("Not Found", "/ann@x.io/"), None
    )
    record.request = object()
    assert json.loads(JsonLine().format(record))["message"] == "Not Found"


def test_a_message_that_quotes_its_exception_is_told_without_it() -> None:
    record = record_of_a_failure()
    assert record.exc_info is not None
    for quoted in (repr(record.exc_info[1]), str(record.exc_info[1])):
        record.msg = f"Task leads.crm.drain raised unexpected: {quoted}"
        line = json.loads(JsonLine().format(record))
        assert line["message"] == "Task leads.crm.drain raised unexpected: ValueError"
        assert "ann@example.com" not in PlainLine().format(record)
