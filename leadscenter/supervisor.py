"""Everything in one terminal: broker, web, workers and scheduler. `python -m leadscenter.supervisor`, or `make run`.

PORT chooses the web port. With REDIS_URL that Redis is used, else a broker of our own is started. Ctrl-C, SIGTERM or
the end of any part stops all of them.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import environ

from leadscenter.embedded_broker import start_broker
from leadscenter.processes import start, stop

BASE = Path(__file__).resolve().parent.parent
WEB = "--interface wsgi --workers 2 --blocking-threads 4 --no-ws --log-level warning --host 127.0.0.1"
WORKER = "--pool prefork --concurrency 2 --without-gossip --without-mingle --loglevel warning"
FILES_WORKER = "--pool prefork --concurrency 1 --without-gossip --without-mingle --loglevel warning --hostname files@%h"
PATIENCE_SECONDS = 180
ROOT_IS_FINE = "ignore:You're running the worker with superuser privileges"  # it is not in production: see Dockerfile


class Stopped(Exception):
    """Somebody asked us to end."""


def tool(name: str) -> str:
    """A program of our virtual environment."""
    return str(Path(sys.executable).with_name(name))


def state() -> Path:
    """The folder of files that an installation makes."""
    return BASE / (os.environ.get("STATE_FOLDER") or "var")


def commands(port: int) -> dict[str, list[str]]:
    celery = [tool("celery"), "-A", "leadscenter.celery", "--quiet"]
    return {
        "web": [tool("granian"), *WEB.split(), "--port", str(port), "leadscenter.wsgi:application"],
        "worker": [*celery, "worker", *WORKER.split(), "--queues", "celery"],
        "files worker": [*celery, "worker", *FILES_WORKER.split(), "--queues", "files"],
        "scheduler": [*celery, "beat", "--loglevel", "warning", "--pidfile", "", "--schedule", str(state() / "beat")],
    }


def refuse_taken(port: int) -> None:
    """Leave with status 2 when somebody else listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            sys.stderr.write(f"Port {port} cannot be used ({error.strerror}). Choose another: make run PORT=8001\n")
            raise SystemExit(2) from None


def chosen_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not (text.isdecimal() and 0 < int(text) < 65536):
        sys.stderr.write(f"PORT is {text!r}: give a number between 1 and 65535\n")
        raise SystemExit(2)
    refuse_taken(int(text))
    return int(text)


def prepare() -> str:
    """Bring databases and demo to the state of the code; the demo's logins, or leave with the status of what failed."""
    command = [sys.executable, "-m", "leadscenter.installation"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return line.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def stop_on_signals() -> None:
    def raise_stopped(number: int, frame: FrameType | None) -> None:
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, raise_stopped)


@contextlib.contextmanager
def running(port: int) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """All parts, started; on the way out they are stopped, the broker last."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        if not os.environ.get("REDIS_URL"):
            broker = start_broker(state() / "broker")
            if broker:
                children["broker"] = broker.process
                os.environ["REDIS_URL"] = broker.url
            else:
                for folder in ("queue", "control"):
                    (state() / "broker" / folder).mkdir(parents=True, exist_ok=True)
        logins = prepare()
        for leftover in state().glob("beat*"):  # a schedule file that was cut off in mid-write stops the scheduler
            leftover.unlink()
        for name, command in commands(port).items():
            children[name] = start(command)
        announce(port, logins, children)
        yield children
    finally:
        # A second Ctrl-C must not leave anything behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop([children[name] for name in ("web", "scheduler", "files worker", "worker", "broker") if name in children])


def announce(port: int, logins: str, children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Wait until the web answers, then say where it is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(port):
        if children["web"].poll() is not None or time.monotonic() > deadline:
            sys.stderr.write("The web server did not start.\n")
            raise SystemExit(1)
        time.sleep(0.1)
    lines = ["", f"  Holdfast answers on http://localhost:{port}", ""]
    if logins:
        lines += ["  Demo logins (e-mail, password, who):", logins, ""]
    sys.stdout.write("\n".join([*lines, "  Ctrl-C stops everything.", "", ""]))
    sys.stdout.flush()


def main() -> None:
    port = chosen_port()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscenter.settings")
    environ.Env.read_env(BASE / ".env")
    os.environ.setdefault("PUBLIC_URL", f"http://localhost:{port}")
    os.environ.setdefault("PYTHONWARNINGS", ROOT_IS_FINE)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.chdir(BASE)
    stop_on_signals()
    try:
        with running(port) as children:
            while True:
                for name, child in children.items():
                    if child.poll() is not None:
                        sys.stderr.write(f"The {name} ended with status {child.returncode}; stopping everything.\n")
                        raise SystemExit(1)
                time.sleep(0.5)
    except Stopped:
        sys.stdout.write("\nStopped.\n")


if __name__ == "__main__":
    main()
