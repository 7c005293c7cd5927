import json
import resource
import time
from collections.abc import Callable
from tempfile import TemporaryFile
from typing import Any

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from bench.models import PlainLead
from leads.exports.reading import CHUNK
from leads.exports.selectors import get_export
from leads.exports.services.asking import request_export
from leads.exports.services.handing_out import download
from leads.exports.services.running import run_due
from leads.selection import Selection
from leads.vault.keys import data_key
from leads.vault.sealing import additional_data
from leads.vault.values import Owner
from leadscenter.lib.cells import quoted
from leadscenter.lib.envelope import HEADER, NONCE_BYTES, key_id_of
from leadscenter.lib.envelope import additional_data as joined

# What `COPY` writes, chosen column by column in our own file.
SAME = [
    *("field.name", "field.email", "field.phone_number", "field.company_name", "field.city", "field.job_title"),
    *("field.address", "field.zip_code", "form", "status", "created_time"),
]
PLAIN = ("name", "email", "phone", "company", "city", "job", "address", "zip_code", "form", "status", "received_at")
SEALED = """
SELECT lead.id, (lead.received_at AT TIME ZONE 'UTC')::text, lead.region, lead.status, answers.sealed
FROM leads_lead lead JOIN vault_sealedanswers answers ON answers.lead_id = lead.id
WHERE lead.library_id = %s AND lead.state = 'live'
  AND (lead.received_at, lead.id) < (%s::timestamp AT TIME ZONE 'UTC', %s)
ORDER BY lead.received_at DESC, lead.id DESC LIMIT %s
"""
NEWEST = f"SELECT * FROM {PlainLead._meta.db_table} ORDER BY received_at DESC, id DESC"  # noqa: S608  # our own table


class Command(BaseCommand):
    help = "Export a library as a worker does, or as others would; print seconds, rows, peak memory."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("way", choices=["csv", "xlsx", "csv_same", "xlsx_same", "bare", "copy", "openpyxl"])
        parser.add_argument("library", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run once and print as JSON."""
        before = peak_mb()
        way, library = options["way"], options["library"]
        others: dict[str, Callable[[], dict[str, float]]] = {
            "copy": copied,
            "openpyxl": peer,
            "bare": lambda: bare(library),
        }
        told = others[way]() if way in others else exported(library, way)
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


def bare(library_id: int) -> dict[str, float]:
    """Read, open, decode and quote each lead in the shortest loop there is: the limit of one Python process.

    Nothing of it is checked, sealed or kept for a resumption.
    """
    started, rows, size, last = time.perf_counter(), 0, 0, ("infinity", 0)
    openers: dict[tuple[str, int], tuple[Callable[..., bytes], bytes]] = {}
    while True:
        with connection.cursor() as cursor, psycopg.Cursor(cursor.connection) as binary:
            binary.execute(SEALED, (library_id, *last, CHUNK), prepare=False, binary=True)
            found = binary.fetchall()
        lines = []
        for lead_id, at, region, status, sealed in found:
            key_id = key_id_of(sealed)
            if (known := openers.get((region, key_id))) is None:
                *common, row = additional_data("answers/1", key_id, Owner(library_id, region, lead_id))
                bound = joined(common) + len(row).to_bytes(4, "big")  # ids are of one length
                known = openers[region, key_id] = AESGCM(data_key(key_id, region)).decrypt, bound
            decrypt, bound = known
            body = HEADER.size + NONCE_BYTES
            content = json.loads(decrypt(sealed[HEADER.size : body], sealed[body:], bound + b"%d" % lead_id))
            cells = [quoted(value) for _key, _label, value, _kind in content["answers"]]
            lines.append(f'{",".join(cells)},"{content["form"]["name"]}","{status}","{at[:19]}"\r\n')
        size += len("".join(lines).encode())
        rows += len(found)
        if len(found) < CHUNK:
            return {"seconds": time.perf_counter() - started, "rows": rows, "bytes": size}
        last = (found[-1][1], found[-1][0])


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
