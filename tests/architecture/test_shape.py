"""The house rules that no linter knows. Each finder is also shown something bad, so that it is known to find."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("leadscenter", "accounts", "forms_builder", "campaigns", "leads")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers", "processor"}
LONGEST_FILE = 450
LONGEST_FUNCTION = 65


def sources() -> list[Path]:
    """Every module of ours that is written by hand."""
    found = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    assert len(found) > 100
    return found


def long_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{node.name} ({length} lines)"


def signals_and_saves(tree: ast.Module) -> Iterator[str]:
    """Django signals, and logic hidden in save() or delete()."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django.db.models.signals"):
            yield "imports Django's signals"
        if isinstance(node, ast.ClassDef) and any("Model" in ast.unparse(parent) for parent in node.bases):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name in {"save", "delete"}:
                    yield f"{node.name} overrides {part.name}()"


def broad_excepts(tree: ast.Module) -> Iterator[str]:
    """`except Exception` that neither raises nor logs: a swallowed error."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else "BaseException"
        if caught in {"Exception", "BaseException"}:
            body = "\n".join(ast.unparse(part) for part in node.body)
            if not re.search(r"\braise\b|\.exception\(|\.error\(", body):
                yield f"line {node.lineno} swallows {caught}"


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path.relative_to(ROOT)) for path in sources() if path.stem in FORBIDDEN_NAMES] == []


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("finder", [long_functions, signals_and_saves, broad_excepts])
def test_no_module_breaks_the_rules(finder: object) -> None:
    assert callable(finder)
    found = {str(path.relative_to(ROOT)): list(finder(ast.parse(path.read_text()))) for path in sources()}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_finders_find() -> None:
    bad = """
from django.db.models.signals import post_save
class Lead(models.Model):
    def save(self): pass
try:
    act()
except Exception:
    pass
"""
    assert list(signals_and_saves(ast.parse(bad))) == ["imports Django's signals", "Lead overrides save()"]
    assert list(broad_excepts(ast.parse(bad))) == ["line 7 swallows Exception"]
    lines = "\n".join(f"    x = {number}" for number in range(LONGEST_FUNCTION))
    assert list(long_functions(ast.parse(f"def act():\n{lines}\n"))) == [f"act ({LONGEST_FUNCTION + 1} lines)"]


def test_templates_hold_no_inline_script_style_or_handler() -> None:
    handlers = r"\s(hx-on[:-]|on(click|change|submit|input|load|error|focus|blur|toggle|key|mouse|pointer))[a-z:-]*="
    script = r"<script\b(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")"
    inline = re.compile(rf"<style\b|\sstyle=|{handlers}|{script}", re.IGNORECASE)
    assert inline.search('<b onclick="x()">')
    assert inline.search("<script>x()</script>")
    templates = list((ROOT / "templates").rglob("*.html")) + list((ROOT / "templates").rglob("*.jinja"))
    assert len(templates) > 40
    found = [str(path.relative_to(ROOT)) for path in templates if inline.search(path.read_text())]
    assert found == []
