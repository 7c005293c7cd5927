import json
import resource
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from bench.models import PlainLead
from leads.exports.selectors import get_export
from leads.exports.services.asking import request_export
from leads.exports.services.handing_out import download
from leads.exports.services.running import run_due
from leads.selection import Selection


class Command(BaseCommand):
    help = "Export a library as a worker does, or COPY the same rows in plain text; print seconds, rows, peak memory."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("way", choices=["export", "copy"])
        parser.add_argument("library", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run once and print as JSON."""
        told = exported(options["library"]) if options["way"] == "export" else copied()
        told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.stdout.write(json.dumps(told))


def exported(library_id: int) -> dict[str, float]:
    """Ask, run, then take the file and count its lines."""
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=library_id)
    actor = holders(library, Can.DOWNLOAD_LEADS)[0]
    export = request_export(actor=actor, library=library, selection=Selection())
    started = time.perf_counter()
    first: list[float] = []

    def note() -> None:
        if not first:
            first.append(time.perf_counter() - started)

    run_due(budget=3600, after_chunk=note)
    seconds = time.perf_counter() - started
    found = get_export(actor, export.pk)
    assert found.state == "done", found.failure
    started = time.perf_counter()
    lines = sum(part.count(b"\r\n") for part in download(actor=actor, export=found).parts)
    assert lines == found.rows + 1
    return {"seconds": seconds, "rows": found.rows, "first": first[0], "download": time.perf_counter() - started}


def copied() -> dict[str, float]:
    """COPY the plain rows as CSV."""
    started = time.perf_counter()
    size = 0
    with connection.cursor() as cursor:
        table = PlainLead._meta.db_table
        rows_ = f"SELECT * FROM {table} ORDER BY received_at DESC, id DESC"  # noqa: S608  # our own table's name
        statement = f"COPY ({rows_}) TO STDOUT WITH CSV HEADER"
        with cursor.cursor.copy(statement) as out:
            for part in out:
                size += len(part)
    rows = PlainLead._default_manager.count()
    return {"seconds": time.perf_counter() - started, "rows": rows, "bytes": size}
