"""CSV of sealed leads beside COPY of the same leads in plain text, in one process each; 100,000 leads, 8 answers."""

import json
import os

from bench.product import BASE, Product, manage, product
from bench.table import Line, beside, show

SIZES = tuple(int(size) for size in os.environ.get("BENCH_LEADS", "20000,100000").split(","))
ROUNDS = 3


def main() -> None:
    """Measure each size and print."""
    with product() as running:
        library = running.demo["ad_accounts"]["brand"]["library_id"]
        running.environment["EXPORTS_DIR"] = str(BASE / "var" / "bench" / "exports")
        found = [measure(running, library, size) for size in SIZES]
    lines: list[Line] = []
    for size, (export, copy) in zip(SIZES, found, strict=True):
        rate, other = export["rows"] / export["seconds"], copy["rows"] / copy["seconds"]
        lines += [
            beside(
                f"CSV of {size:,} sealed leads",
                rate,
                "leads/s",
                f"COPY in plain text ({other:,.0f}/s)",
                other,
                goal=0.25,
                why="each lead is opened, decoded and quoted cell by cell in Python; COPY writes plain columns in C",
            ),
            Line(f"seconds ({size:,})", export["seconds"], "s"),
            Line(f"first chunk ({size:,})", export["first"], "s"),
            Line(f"taking the file ({size:,})", export["download"], "s"),
        ]
    small, large = found[0][0]["peak_mb"], found[-1][0]["peak_mb"]
    lines.append(beside("peak memory", large, "MB", "of 150 MB", 150.0, goal=1.0, at_most=True))
    lines.append(beside("peak memory, growth", large, "MB", f"at {SIZES[0]:,} leads", small, goal=1.2, at_most=True))
    show("Exports: CSV in one process", lines)


def measure(running: Product, library: str, size: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the best of some runs each, in turn, each in a process of its own."""
    manage(running.environment, "bench_fill", library, str(size))
    best: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for way in ("export", "copy"):
            told = json.loads(manage(running.environment, "bench_export", way, library))
            assert told["rows"] == size, told
            if way not in best or told["seconds"] < best[way]["seconds"]:
                best[way] = told
    return best["export"], best["copy"]
