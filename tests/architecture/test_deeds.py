"""Every audited act has words: nobody reads `courses.publish` on a page."""

import ast
import re

from flask import Flask

from lms.core import deeds
from tests.architecture.test_house import PYTHON, relative

AUDITS = ("record", "record_many", "update")


def named() -> set[str]:
    return {action for one in deeds.every_module().values() for action in one.acts}


def actions_in(tree: ast.AST) -> list[str]:
    """What a file calls its acts, as patterns: texts given to audit, to a function between, or kept as `action` for it."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            of_audit = isinstance(node.func, ast.Attribute) and node.func.attr in AUDITS and getattr(node.func.value, "id", "") == "audit"
            if of_audit and node.args:
                found.append(node.args[1 if node.func.attr == "update" else 0])  # type: ignore[attr-defined]
            found += [word.value for word in node.keywords if word.arg == "action"]
            between = isinstance(node.func, ast.Name) and node.func.id in (
                "_changed",
                "_move",
                "_withdraw",
                "_change",
                "_hand_over",
                "change_enrollments",
                "_void",
            )
            found += [one for one in node.args if between and isinstance(one, ast.Constant) and "." in str(one.value)]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").lower() == "action":
            found.append(node.value)
    patterns = []
    for expression in found:
        parts = [expression.body, expression.orelse] if isinstance(expression, ast.IfExp) else [expression]
        for part in parts:
            if isinstance(part, ast.Constant) and part.value:
                patterns.append(re.escape(str(part.value)))
            elif isinstance(part, ast.JoinedStr):
                patterns.append("".join(re.escape(str(one.value)) if isinstance(one, ast.Constant) else "[a-z_.]+" for one in part.values))
    return patterns


def test_audited_acts__have_words(app: Flask) -> None:
    known, nameless, seen = named(), [], 0
    for path in PYTHON:
        for pattern in actions_in(ast.parse(path.read_text())):
            seen += 1
            if not any(re.fullmatch(pattern, action) for action in known):
                nameless.append(f"{relative(path)}: {pattern}")
    assert seen > 100 and not nameless, "\n".join(nameless)


def test_deeds__belong_to_their_module_and_lead_to_pages_there_are(app: Flask) -> None:
    wrong, adapter = [], app.url_map.bind("localhost")
    for one in deeds.every_module().values():
        wrong += [action for action in (*one.acts, *one.reverts) if not action.startswith(f"{one.module}.")]
        wrong += [action for action in one.reverts if action not in one.acts]
        for thing in one.things.values():
            path = thing.href.replace("{id}", "0190a000-0000-7000-8000-00000000dead")
            if path and not adapter.test(path, "GET"):
                wrong.append(path)
    assert not wrong
