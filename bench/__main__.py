"""`make bench`: every benchmark, or those named. Ratios against a peer or a limit in one run, on Postgres."""

import importlib
import sys

ALL = ("intake", "lists", "exports", "deliveries", "permissions", "transfers")


def main() -> None:
    """Run the benchmarks one after the other."""
    for name in sys.argv[1:] or ALL:
        if name not in ALL:
            sys.stderr.write(f"There is no benchmark “{name}”; there are {', '.join(ALL)}.\n")
            raise SystemExit(2)
        importlib.import_module(f"bench.{name}").main()


main()
