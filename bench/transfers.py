"""Accepting a transfer of leads access with 1,000 and with 1,000,000 leads, each with a delivery that waits."""

import json
import os
from typing import Any

from bench.product import Product, manage, product
from bench.table import Line, beside, show

SIZES = tuple(int(size) for size in os.environ.get("BENCH_LEADS", "1000,1000000").split(","))


def main() -> None:
    """Measure each size and print."""
    with product() as running:
        found = measure(running)
    small, large = found[0], found[-1]
    lines: list[Line] = []
    for size, told in zip(SIZES, found, strict=True):
        lines += [
            Line(f"accepting, with mails ({size:,} leads)", told["service"], "ms"),
            Line(f"accepting over the API ({size:,} leads)", told["api"], "ms"),
        ]
    at_most: dict[str, Any] = {"goal": 1.2, "at_most": True}
    here = f"at {SIZES[0]:,} leads"
    lines += [
        beside("growth of accepting", large["service"], "ms", here, small["service"], **at_most),
        beside(
            "growth of accepting over the API",
            large["api"],
            "ms",
            here,
            small["api"],
            **at_most,
            why="the answer counts what moves, up to 10,001",
        ),
        beside(
            "growth in statements, there and back",
            large["statements"],
            "",
            here,
            small["statements"],
            goal=1.0,
            at_most=True,
        ),
    ]
    show("Transfers: accepting", lines)


def measure(running: Product) -> list[dict[str, float]]:
    """Return what accepting takes, by size."""
    tokens = (running.demo["actors"][name]["token"] for name in ("agency_admin", "client_bc_admin"))
    sizes = [str(size) for size in SIZES]
    told = json.loads(manage(running.environment, "bench_transfer", *tokens, "--sizes", *sizes))
    return [told[size] for size in sizes]
