"""The house's rules that can be checked by reading the code: files, sizes, who commits, what the domain may not know, settings, queues."""

import ast
import os
import re
from pathlib import Path

import pytest

from lms.app import MODULES
from lms.config import ROOT, SETTINGS
from lms.core import jobs

LMS = ROOT / "lms"
FILES = {
    "__init__", "models", "queries", "operations", "policies", "events", "handlers", "jobs", "reports", "plans", "forms",
    "views", "admin", "api", "sockets", "gateways", "commands", "errors", "deeds",
}  # fmt: skip
FORBIDDEN = {"utils", "helpers", "services", "common", "base", "misc"}
PYTHON = [path for path in sorted(LMS.rglob("*.py")) if "__pycache__" not in path.parts]
EDGES = ("core", "web")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_modules__hold_only_the_files_of_the_house() -> None:
    wrong = []
    for module in MODULES:
        for path in (LMS / module).glob("*"):
            if path.name != "__pycache__" and path.suffix in ("", ".py") and path.stem not in FILES:
                wrong.append(relative(path))
    assert not wrong, f"not in house.md's list: {wrong}"


def test_names__say_what_is_inside() -> None:
    assert not [relative(path) for path in PYTHON if path.stem in FORBIDDEN]


def test_files__have_at_most_400_lines() -> None:
    long = [f"{relative(path)}: {count}" for path in PYTHON if (count := len(path.read_text().splitlines())) > 400]
    assert not long, "\n".join(long)


def test_functions__have_at_most_40_lines() -> None:
    long = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                count = node.end_lineno - node.lineno + 1
                if count > 40:
                    long.append(f"{relative(path)}::{node.name}: {count}")
    assert not long, "\n".join(long)


def test_public_names__promise_in_a_docstring() -> None:
    silent = []
    for path in PYTHON:
        tree = ast.parse(path.read_text())
        if path.stat().st_size and not ast.get_docstring(tree):
            silent.append(relative(path))
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{relative(path)}::{node.name}")
    assert not silent, "\n".join(silent)


def test_commits__happen_at_the_edge_only() -> None:
    wrong = []
    for path in PYTHON:
        text = path.read_text()
        if path != LMS / "core" / "db.py" and path.parent != LMS / "core" and re.search(r"\.(commit|rollback)\(\)", text):
            wrong.append(f"{relative(path)} commits or rolls back")
        inside = path.relative_to(LMS).parts
        if "unit_of_work(" in text and inside[0] not in EDGES and inside[-1] not in ("commands.py", "sockets.py", "doctor.py"):
            if inside not in {("app.py",), ("channels", "queries", "people.py"), ("pages", "views.py")} and "sockets" not in inside:
                wrong.append(f"{relative(path)} opens a unit of work")
    assert not wrong, "\n".join(wrong)


def test_catching__everything_is_for_the_kernel() -> None:
    wrong = [
        relative(path)
        for path in PYTHON
        if path.relative_to(LMS).parts[0] != "core" and re.search(r"except (Base)?Exception\b", path.read_text())
    ]
    assert not wrong


def test_http__is_spoken_by_one_client() -> None:
    """Whatever somebody wrote down as an address is called by `lms/core/outbound.py`, which looks at where it leads.

    The supervisor asks the servers that it started itself whether they answer, and nobody else.
    """
    speakers = re.compile(
        r"^\s*(?:import|from)\s+(?:http\.client|http import client|urllib\.request|urllib import request|urllib3|requests|httpx|aiohttp|pycurl)\b",
        re.M,
    )
    may = ("lms/core/outbound.py", "lms/core/supervisor.py")
    wrong = [relative(path) for path in PYTHON if relative(path) not in may and speakers.search(path.read_text())]
    assert not wrong


def test_environment__is_read_in_one_place() -> None:
    wrong = [relative(path) for path in PYTHON if path.name != "config.py" and re.search(r"os\.(environ|getenv)", path.read_text())]
    assert not wrong


def test_settings__are_documented_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert not [name for name in SETTINGS if f"`{name}`" not in readme]


def test_refusals__are_sentences_that_can_be_translated() -> None:
    names = {"Refusal", "NotFound", "Forbidden", "Invalid", "Conflict", "TooMany", "Unavailable", "ValidationError", "no"}
    for path in LMS.rglob("errors.py"):
        names |= {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)}
    wrong = []
    for path in PYTHON:
        if path.stem == "commands":  # an operator's terminal speaks English
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
                said = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
                if any(isinstance(part, ast.Constant) and re.search("[a-z]", str(part.value)) for part in said):
                    wrong.append(f"{relative(path)}:{node.lineno}")
    assert not wrong, f"not extracted: {wrong}"


def test_queues__of_every_job_are_served() -> None:
    assert {job.queue for job in jobs.registry().values()} <= set(jobs.QUEUES)


def test_jobs__of_every_module_are_registered_under_their_own_name() -> None:
    for name in jobs.registry():
        assert name.startswith(("lms.", "tests.", "__main__")), name


def test_domain__does_not_import_http() -> None:
    domain = {"models", "queries", "operations", "policies", "events", "handlers", "reports", "plans", "deeds"}
    wrong = []
    for path in PYTHON:
        if path.stem in domain or path.parent.name in domain:
            for line in re.findall(r"^(?:from|import) (\S+)", path.read_text(), re.M):
                if line.split(".")[0] in ("flask", "wtforms") or line.startswith("lms.web"):
                    wrong.append(f"{relative(path)}: {line}")
    assert not wrong, "\n".join(wrong)


def test_project__speaks_of_itself_alone() -> None:
    """No word of how the text came to be, no address of a package index, no path of somebody's machine."""
    words = re.compile(r"\b(chatgpt|claude|copilot|language model wrote|/work/|/root/|pypi\.org/simple|registry\.npmjs\.org)\b", re.I)
    wrong = []
    for folder in ("lms", "templates", "tests", "scripts", "migrations", "deploy"):
        for path in (ROOT / folder).rglob("*"):
            if (
                path.suffix in (".py", ".html", ".md", ".txt", "")
                and path.is_file()
                and "__pycache__" not in path.parts
                and path != Path(__file__)
            ):
                if found := words.search(path.read_text(errors="replace")):
                    wrong.append(f"{relative(path)}: {found[0]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("script", ["run", "test", "check", "bench", "where", "new-module"])
def test_scripts__are_there_and_may_be_run(script: str) -> None:
    assert os.access(ROOT / "scripts" / script, os.X_OK)
