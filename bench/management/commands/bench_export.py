import json
import resource
import time
from collections.abc import Callable
from tempfile import TemporaryFile
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

# What `COPY` writes, chosen column by column in our own file.
SAME = [
    *("field.name", "field.email", "field.phone_number", "field.company_name", "field.city", "field.job_title"),
    *("field.address", "field.zip_code", "form", "status", "created_time"),
]
PLAIN = ("name", "email", "phone", "company", "city", "job", "address", "zip_code", "form", "status", "received_at")
NEWEST = f"SELECT * FROM {PlainLead._meta.db_table} ORDER BY received_at DESC, id DESC"  # noqa: S608  # our own table


class Command(BaseCommand):
    help = "Export a library as a worker does, or the same rows in plain text; print seconds, rows, peak memory."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("way", choices=["csv", "xlsx", "csv_same", "xlsx_same", "copy", "openpyxl"])
        parser.add_argument("library", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run once and print as JSON."""
        before = peak_mb()
        others: dict[str, Callable[[], dict[str, float]]] = {"copy": copied, "openpyxl": peer}
        way = options["way"]
        told = others[way]() if way in others else exported(options["library"], way)
        self.stdout.write(json.dumps({**told, "peak_mb": peak_mb(), "start_mb": before}))


def peak_mb() -> float:
    """Return the most memory that this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def exported(library_id: int, way: str) -> dict[str, float]:
    """Ask, run, then take the file and count what is in it; "_same": with the columns of the peers alone."""
    file_format, _under, same = way.partition("_")
    chosen: dict[str, Any] = {"layout": "chosen", "columns": SAME} if same else {}
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=library_id)
    actor = holders(library, Can.DOWNLOAD_LEADS).order_by("pk")[0]
    export = request_export(actor=actor, library=library, selection=Selection(), file_format=file_format, **chosen)
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
    taken = download(actor=actor, export=found).parts
    if file_format == "csv":
        assert sum(part.count(b"\n") for part in taken) == found.rows + 1  # a part may end within a line's end
    else:
        assert sum(len(part) for part in taken) > found.rows
    return {"seconds": seconds, "rows": found.rows, "first": first[0], "download": time.perf_counter() - started}


def copied() -> dict[str, float]:
    """COPY the plain rows as CSV, in the order of the export."""
    started = time.perf_counter()
    size = 0
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY ({NEWEST}) TO STDOUT WITH CSV HEADER") as out:
        for part in out:
            size += len(part)
    return {"seconds": time.perf_counter() - started, "rows": PlainLead._default_manager.count(), "bytes": size}


def peer() -> dict[str, float]:
    """Write the plain rows by openpyxl's write-only workbook: what a Django project takes."""
    from openpyxl import Workbook  # noqa: PLC0415  # the others are measured without it in memory

    started = time.perf_counter()
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(PLAIN)
    newest = PlainLead._default_manager.order_by("-received_at", "-pk").values_list(*PLAIN)
    rows = 0
    for *cells, received_at in newest.iterator(chunk_size=5000):
        sheet.append([*cells, received_at.isoformat()])
        rows += 1
    with TemporaryFile() as target:
        book.save(target)
    return {"seconds": time.perf_counter() - started, "rows": rows}
