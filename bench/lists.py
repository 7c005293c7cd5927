"""The list of leads over HTTP beside Django's admin change list of the same leads in plain text, up to a million."""

import json
import os
import statistics
import time
import urllib.parse
import urllib.request
from typing import Any

from bench.product import Product, manage, product, web
from bench.table import Line, beside, show

SIZES = tuple(int(size) for size in os.environ.get("BENCH_LEADS", "10000,100000,1000000").split(","))
ROUNDS = 25


def main() -> None:
    """Measure each size and print."""
    with product() as running:
        manage(running.environment, "collectstatic", "--noinput", "-v0")  # pages name their files by content
        library = running.demo["ad_accounts"]["brand"]["library_id"]
        found = [measure(running, library, size) for size in SIZES]
    lines: list[Line] = []
    for size, (http, told) in zip(SIZES, found, strict=True):
        lines += lines_of(size, http, told)
    first, last = found[0], found[-1]
    for name in ("list, page 1", "list, page at 90 %", "list by status", "search by e-mail", "needs follow-up"):
        goal: dict[str, Any] = {"goal": 1.2, "at_most": True}
        lines.append(beside(f"growth of {name}", last[0][name], "ms", f"at {SIZES[0]:,}", first[0][name], **goal))
    show("Lists: p50 over HTTP", lines)


def lines_of(size: int, http: dict[str, float], told: dict[str, float]) -> list[Line]:
    """Return the lines of one size."""
    goal: dict[str, Any] = {"goal": 10.0} if size >= 1_000_000 else {}
    bare = told["bare keyset query, rows"]

    def faster(ours: str, theirs: str) -> Line:
        return Line(
            f"{ours} ({size:,} leads)",
            http[ours],
            "ms",
            f"faster than {theirs} ({http[theirs]:.0f} ms)",
            http[theirs] / http[ours],
            **goal,
        )

    return [
        faster("list, page 1", "admin, page 1"),
        faster("list, page at 90 %", "admin, page at 90 %"),
        faster("list by status", "admin by status"),
        faster("search by e-mail", "admin search"),
        Line(f"API page in clear ({size:,})", http["API page"], "ms"),
        Line(f"tab counts ({size:,})", told["tabs"], "ms"),
        *(
            Line(f"{name} ({size:,})", http[name], "ms")
            for name in ("needs follow-up", "last changed first", "counts of the views", "overview")
        ),
        beside(
            f"database time of the page ({size:,})",
            told["page, database"],
            "ms",
            "the bare keyset query",
            bare,
            goal=5.0,
            at_most=True,
            why="twelve queries, three of them the trace of the look, committed before anything is shown",
        ),
        beside(f"search by two names ({size:,})", told["search by two names"], "ms", "a page", told["page, all"]),
    ]


def measure(running: Product, library: str, size: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return (milliseconds over HTTP, milliseconds in process)."""
    sessions = json.loads(manage(running.environment, "bench_fill", library, str(size)))
    told = json.loads(manage(running.environment, "bench_list", library))
    assert told["total"] == size, told["total"]
    token = running.demo["actors"]["brand_admin"]["token"]
    leads, admin = f"/l/{library}/leads/", "/bench-admin/bench/plainlead/"
    as_administrator = {"Cookie": f"session={sessions['administrator']}"}
    as_staff = {"Cookie": f"session={sessions['staff']}"}
    wanted = {
        "list, page 1": (leads, as_administrator),
        "list, page at 90 %": (f"{leads}?{urllib.parse.urlencode({'cursor': told['deep']})}", as_administrator),
        "list by status": (f"{leads}?status=raw", as_administrator),
        "needs follow-up": (f"{leads}?sort=attention", as_administrator),
        "last changed first": (f"{leads}?sort=change", as_administrator),
        "counts of the views": (f"{leads}counts/", as_administrator),
        "overview": (f"/l/{library}/overview/", as_administrator),
        "search by e-mail": (f"{leads}?s={told['search']}", as_administrator),
        "API page": (f"/api/v1/libraries/{library}/leads/", {"Authorization": f"Bearer {token}"}),
        "admin, page 1": (admin, as_staff),
        "admin, page at 90 %": (f"{admin}?p={int(size * 0.9 / 50)}", as_staff),
        "admin by status": (f"{admin}?status__exact=raw", as_staff),
        "admin search": (f"{admin}?q=p77%40example.com", as_staff),
    }
    with web(running) as port:
        return {name: p50(port, path, headers) for name, (path, headers) in wanted.items()}, told["ms"]


def p50(port: int, path: str, headers: dict[str, str]) -> float:
    """Return the median of some requests in milliseconds; each must answer 200 and hold rows."""
    spent = []
    for round_ in range(ROUNDS + 3):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={**headers, "Host": "localhost"})
        started = time.perf_counter()
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            body = answer.read()
            assert answer.status == 200
            assert "/login/" not in answer.url, path
        assert len(body) > 800, path
        if round_ > 2:
            spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)
