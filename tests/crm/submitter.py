"""Submits leads on request, in a process of its own: the near end of the ledger of `test_kill`.

Reads a number per line, stores so many leads as intake does, and writes each acknowledged id to the disk before the
next. First line of its output: the ids of what it made for the run, as JSON.
"""

import json
import os
import sys

import django


def main(ledger: str, urls: list[str]) -> None:
    from tests.crm.world import make_world  # noqa: PLC0415  # models can be imported once Django is set up

    world = make_world()
    hooks = [world.webhook(url).connection.pk for url in urls]
    sys.stdout.write(json.dumps({"library": world.library.pk, "connections": hooks}) + "\n")
    sys.stdout.flush()
    written = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for line in sys.stdin:
        for _ in range(int(line)):
            os.write(written, f"{world.lead()}\n".encode())
            os.fsync(written)


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], sys.argv[2:])
