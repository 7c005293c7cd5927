"""Files of sealed leads: CSV beside COPY of plain text and beside the bare loop, workbooks beside those of openpyxl.

Each in a process of its own, whose peak memory is read; 8 answers a lead.
"""

import contextlib
import json
import os
from typing import Any

from bench.product import BASE, Product, manage, product
from bench.table import Line, beside, show

SIZES = tuple(int(size) for size in os.environ.get("BENCH_LEADS", "10000,100000,1000000").split(","))
WAYS = ("csv", "csv_same", "bare", "copy", "xlsx", "xlsx_same", "openpyxl")
PEER_UP_TO = 100_000  # openpyxl takes minutes for more
ROUNDS = 3
MOST_MB = 150.0
MOST_TESTS = 12  # leads that stand in no file which cannot say that they are tests: one of each form
Found = dict[str, dict[str, float]]


def main() -> None:
    """Fill each size, measure and print."""
    with contextlib.ExitStack() as stack:
        found = {size: measure(stack.enter_context(product(str(size))), size) for size in SIZES}
    lines = [line for size in SIZES for line in lines_of(size, found[size])]
    show("Exports: files in one process", lines + memory(found))


def lines_of(size: int, found: Found) -> list[Line]:
    """Return the lines of one size."""
    rates = {way: told["rows"] / told["seconds"] for way, told in found.items()}
    copy = f"COPY in plain text ({rates['copy']:,.0f}/s)"
    bare = f"the bare loop that reads, opens, decodes and quotes ({rates['bare']:,.0f}/s)"
    goal: dict[str, Any] = {"goal": 0.25} if size == 100_000 else {}
    why = "COPY writes plain columns in C; the bare loop over sealed leads does not reach it either (docs/adr/0007)"
    same = "with the columns of the peer"
    csv = f"CSV of {size:,} sealed leads"
    lines = [
        beside(f"{csv}, {same}", rates["csv_same"], "leads/s", copy, rates["copy"], why=why, **goal),
        beside(f"{csv}, {same}", rates["csv_same"], "leads/s", bare, rates["bare"], goal=0.5),
        beside(f"{csv}, all columns", rates["csv"], "leads/s", copy, rates["copy"]),
        beside(f"the bare loop over {size:,} sealed leads", rates["bare"], "leads/s", copy, rates["copy"]),
    ]
    if "openpyxl" in rates:
        book, peer = f"workbook of {size:,} sealed leads", f"openpyxl, plain text ({rates['openpyxl']:,.0f}/s)"
        lines += [
            beside(f"{book}, {same}", rates["xlsx_same"], "leads/s", peer, rates["openpyxl"]),
            beside(f"{book}, all columns", rates["xlsx"], "leads/s", peer, rates["openpyxl"]),
        ]
    for way in ("csv", "xlsx"):
        told = found[way]
        lines += [
            Line(f"{way}: seconds ({size:,})", told["seconds"], "s"),
            Line(f"{way}: first chunk ({size:,})", told["first"], "s"),
            Line(f"{way}: taking the file ({size:,})", told["download"], "s"),
        ]
    return lines


def memory(found: dict[int, Found]) -> list[Line]:
    """Return what was held at most, and how it grows; `start_mb` is what the process takes before it works."""
    small, large = SIZES[0], SIZES[-1]
    lines = []
    for way in ("csv", "xlsx"):
        first, last = found[small][way]["peak_mb"], found[large][way]["peak_mb"]
        here: dict[str, Any] = {"at_most": True}
        lines += [
            beside(f"{way}: peak memory ({large:,})", last, "MB", "of 150 MB", MOST_MB, goal=1.0, **here),
            beside(f"{way}: peak memory, growth", last, "MB", f"at {small:,} leads", first, goal=1.2, **here),
        ]
    lines += [
        Line(f"{way}: peak memory ({size:,})", told["peak_mb"], "MB")
        for size, ways in found.items()
        for way, told in ways.items()
    ]
    return [*lines, Line("memory before the work", found[large]["csv"]["start_mb"], "MB")]


def measure(running: Product, size: int) -> Found:
    """Return the best of some runs each, in turn, each in a process of its own."""
    library = running.demo["ad_accounts"]["brand"]["library_id"]
    running.environment["EXPORTS_DIR"] = str(BASE / "var" / "bench" / "exports")
    manage(running.environment, "bench_fill", library, str(size))
    best: Found = {}
    for _ in range(ROUNDS if size <= PEER_UP_TO else 1):
        for way in WAYS:
            if way == "openpyxl" and size > PEER_UP_TO:
                continue
            told = json.loads(manage(running.environment, "bench_export", way, library))
            assert size - MOST_TESTS <= told["rows"] <= size, told
            if way not in best or told["seconds"] < best[way]["seconds"]:
                best[way] = told
    return best
