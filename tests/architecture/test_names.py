"""The URL is the name: view, blueprint, template and tests follow from the address by spelling alone."""

import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from lms.app import DOORS, MODULES
from lms.config import ROOT

PREFIX = {"views": "", "admin": "/admin", "api": "/api/v1", "sockets": "/ws"}
OWN_WORDS = {"pages": "", "admin": "/admin"}


def rules(app: Flask) -> list[tuple[Rule, str, str, str]]:
    """Each rule with its module, door file and view name."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        view = app.view_functions[rule.endpoint]
        _, module, door = view.__module__.split(".")[:3]
        found.append((rule, module, door, rule.endpoint.rpartition(".")[2]))
    return found


def name_of(path: str, module: str, door: str) -> str:
    """The view name the house's law gives an address."""
    base = f"{PREFIX[door]}/{module}"
    if module in OWN_WORDS:
        base = PREFIX[door] if door in ("api", "sockets") else OWN_WORDS[module]
    rest = path.removeprefix(base).strip("/")
    parts = [part for part in rest.split("/") if part]
    words = [
        re.sub(r"\.\w+$", "", part).replace("-", "_") for part in parts if not part.startswith("<") and not re.fullmatch(r"<.*>.*", part)
    ]
    ends_in_parameter = bool(parts) and "<" in parts[-1]
    if ends_in_parameter:
        words.append("show")
    return "_".join(words) or "index"


def test_views__are_named_by_their_address(app: Flask) -> None:
    wrong = []
    for rule, module, door, name in rules(app):
        expected = name_of(rule.rule, module, door)
        allowed = {expected}
        if door == "api":  # resource + verb: the method tells readers of one address apart
            allowed |= {f"{expected}_{verb}" for verb in ("create", "edit", "delete", "list")}
            allowed |= {f"{expected.removesuffix('_show')}_{verb}" for verb in ("edit", "delete")}
        if name not in allowed:
            wrong.append(f"{rule.rule} → {module}/{door}.py::{name}, should be {expected}")
    assert not wrong, "\n".join(wrong)


def test_addresses__are_kebab_and_their_ids_typed(app: Flask) -> None:
    wrong = []
    for rule, _module, _door, _name in rules(app):
        for part in rule.rule.strip("/").split("/"):
            if "<" in part:
                if "_id>" in part and not part.startswith("<uuid:"):
                    wrong.append(f"{rule.rule}: {part} is an id and no uuid")
            elif not re.fullmatch(r"[a-z0-9.-]*", part):
                wrong.append(f"{rule.rule}: {part} is not kebab-case")
    assert not wrong, "\n".join(wrong)


def test_pages__use_get_and_post_only(app: Flask) -> None:
    wrong = [
        f"{rule.rule} {sorted(rule.methods or ())}"
        for rule, _module, door, _name in rules(app)
        if door in ("views", "admin") and not (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS", "POST", "PUT"}
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", [module for module in MODULES if (ROOT / "lms" / module).is_dir()])
def test_pages__have_the_template_of_their_view(module: str) -> None:
    """A template without underscore is a page of the view of that name; a fragment lies beside it."""
    views = {door: _functions(ROOT / "lms" / module, door) for door in DOORS}
    missing = []
    for folder, door in ((ROOT / "templates" / module, "views"), (ROOT / "templates" / module / "admin", "admin")):
        if module == "admin":
            folder, door = (ROOT / "templates" / "admin", "views")
        for template in folder.glob("*.html"):
            if not template.name.startswith("_") and template.stem not in views[door]:
                missing.append(f"{template.relative_to(ROOT)} has no view lms/{module}/{door}.py::{template.stem}")
    assert not missing, "\n".join(missing)


def _functions(module: Path, door: str) -> set[str]:
    files = [module / f"{door}.py", *(module / door).glob("*.py")]
    return {name for file in files if file.exists() for name in re.findall(r"^def ([a-z]\w*)\(", file.read_text(), re.M)}
