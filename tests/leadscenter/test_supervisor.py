"""One terminal, all parts; and nothing left behind, however it ends."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadscenter.embedded_broker import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 240


def children_of(pid: int) -> set[int]:
    """The process and everything that descends from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, open_ends = {pid}, [pid]
    while open_ends:
        for child in parents.get(open_ends.pop(), []):
            found.add(child)
            open_ends.append(child)
    return found


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in (Path("/proc") / str(pid) / "status").read_text()
    except OSError:
        return False


def wait_until_gone(pids: set[int], seconds: float = 15) -> set[int]:
    """Those that are still there after the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(alive(pid) for pid in pids):
        time.sleep(0.1)
    return {pid for pid in pids if alive(pid)}


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation of its own, without demo."""
    key_file = tmp_path / "leads.json"
    entry = {"id": "k", "key": base64.b64encode(b"k" * 32).decode(), "made": "2026-01-01T00:00:00+00:00"}
    key_file.write_text(json.dumps({"wrapping": [entry]}))
    key_file.chmod(0o600)
    ours = {
        "DEBUG": "true",
        "SECRET_KEY": "s" * 30 + "0123456789abcdefghijklmnop",
        "LEADS_KEY_FILE": str(key_file),
        "DATABASE_URL": f"sqlite:///{tmp_path}/main.sqlite3",
        "VAULT_DATABASE_URLS": "",
        "REDIS_URL": "",
        "PORT": str(free_port()),
        "STATE_FOLDER": str(tmp_path / "state"),
        "DEMO": "false",
    }
    return {**os.environ, **ours}


@pytest.fixture
def running(installation: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], set[int]]]:
    """The supervisor after it said that it answers, and the ids of all its processes."""
    command = [sys.executable, "-m", "leadscenter.supervisor"]
    process = subprocess.Popen(command, cwd=ROOT, env=installation, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    said = ""
    while "answers on" not in said:
        said = process.stdout.readline()
        assert said, "the supervisor ended before it answered"
        assert time.monotonic() < deadline
    pids = children_of(process.pid)
    try:
        yield process, pids
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        wait_until_gone(pids)


def test_ctrl_c_stops_all_parts(running: tuple[subprocess.Popen[str], set[int]]) -> None:
    process, pids = running
    assert len(pids) >= 9  # supervisor, broker, web and its two workers, two workers and their pools, scheduler
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert wait_until_gone(pids) == set()


def test_killing_the_supervisor_leaves_nothing_behind(running: tuple[subprocess.Popen[str], set[int]]) -> None:
    process, pids = running
    process.kill()
    assert wait_until_gone(pids - {process.pid}) == set()


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1"])
def test_a_bad_port_is_one_clear_line_and_status_2(installation: dict[str, str], port: str) -> None:
    command = [sys.executable, "-m", "leadscenter.supervisor"]
    done = subprocess.run(command, cwd=ROOT, env={**installation, "PORT": port}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"PORT is '.*': give a number between 1 and 65535\n", done.stderr)


def test_a_taken_port_is_one_clear_line_and_status_2(installation: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "leadscenter.supervisor"]
        done = subprocess.run(command, cwd=ROOT, env={**installation, "PORT": port}, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Port {port} cannot be used")
