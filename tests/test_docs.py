"""The documentation is true: what the code has stands there, and what stands there the code has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPS = ("csplatform", "chat", "training", "intents", "knowledge")
READERS = {
    "text",
    "choice",
    "choices",
    "flag",
    "number",
    "count",
    "names",
    "rate",
    "url",
    "database",
    "networks",
    "origins",
    "options",
}


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def settings_read() -> set[str]:
    """Return the environment variables that csplatform/settings.py reads."""
    found = set()
    for node in ast.walk(ast.parse(document("csplatform/settings.py"))):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        function, first = node.func, node.args[0]
        reads = (isinstance(function, ast.Attribute) and function.attr in READERS) or (
            isinstance(function, ast.Name) and function.id == "_secret"
        )
        if reads and isinstance(first, ast.Constant):
            found.add(first.value)
    return found


def settings_documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)` \|", document("docs/settings.md"), re.MULTILINE))


def test_every_setting_is_documented_and_every_documented_one_exists():
    assert settings_read() == settings_documented()
    assert len(settings_read()) > 30


def test_the_example_names_settings_that_exist():
    names = re.findall(r"^# ([A-Z_]+)=", document(".env.example"), re.MULTILINE)

    assert {name.removesuffix("_FILE") for name in names} <= settings_read()
    assert len(names) > 10


def check_ids() -> set[str]:
    found = set()
    for path, tree in modules():
        if path.name == "checks.py" or "checks" in path.parts:
            for node in ast.walk(tree):
                if isinstance(node, ast.keyword) and node.arg == "id":
                    assert isinstance(node.value, ast.Constant)
                    found.add(node.value.value)
    return found


@pytest.mark.parametrize("id_", sorted(check_ids()))
def test_every_system_check_is_documented(id_):
    assert f"| `{id_}` |" in document("docs/operations.md")


def refusal_codes() -> dict[str, str]:
    """Return code -> class of every refusal: what derives, however far, from Refusal."""
    classes = {
        node.name: node
        for _path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }

    def is_refusal(name: str) -> bool:
        bases = classes[name].bases if name in classes else []
        names = [getattr(base, "id", getattr(base, "attr", "")) for base in bases]
        return name == "Refusal" or any(is_refusal(one) for one in names if one != name)

    return {
        statement.value.value: name
        for name, node in classes.items()
        if is_refusal(name)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        and getattr(statement.targets[0], "id", "") == "code"
    }


def test_every_refusal_code_is_documented():
    """Programs match on codes, so docs/protocol.md lists every one."""
    codes = refusal_codes()

    missing = [code for code in codes if f"| `{code}` |" not in document("docs/protocol.md")]
    assert missing == []
    assert {"refused", "blocked", "already_taken"} <= set(codes)


def test_every_make_target_says_what_it_does():
    makefile = document("Makefile")

    targets = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    described = re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE)
    assert sorted(described) == sorted(targets)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_says_who_needs_it(name):
    for line in document(name).splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[\w\-\[\],.]+==[\w.]+ +# \S.*", line), line


def test_links_between_documents_lead_somewhere():
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md"))
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []
