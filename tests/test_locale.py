"""The Chinese is complete, keeps its placeholders, and is compiled from what is written."""

import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
MESSAGES = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+(?::[^}]*)?\}|%[sd]")


@pytest.fixture(scope="module")
def catalog():
    with MESSAGES.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def test_every_text_has_its_chinese(catalog):
    missing = [
        message.id
        for message in catalog
        if message.id and (message.fuzzy or not all(_strings(message)))
    ]

    assert missing == []


def test_placeholders_survive_translation(catalog):
    changed = [
        message.id
        for message in catalog
        if message.id
        for text in _strings(message)
        if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(_plural_id(message)))
    ]

    assert changed == []


def test_the_compiled_file_says_what_is_written(catalog):
    with MESSAGES.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    stale = [
        message.id
        for message in catalog
        if message.id and not message.pluralizable and not message.context
        if compiled.gettext(message.id) != message.string
    ]

    assert stale == []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext is not installed")
def test_no_text_was_forgotten(tmp_path, catalog):
    copy = tmp_path / "project"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        if name.endswith((".py", ".html", ".po", ".csv", ".txt")) and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    subprocess.run(
        [
            *(sys.executable, "manage.py", "makemessages"),
            *("-l", "zh_Hans", "--no-location", "--no-obsolete", "-i", "tests"),
        ],
        cwd=copy,
        check=True,
        capture_output=True,
        env={"VAR_DIR": str(tmp_path / "var"), "PATH": "/usr/bin:/bin"},
    )
    with (copy / MESSAGES.relative_to(ROOT)).open("rb") as file:
        found = {str(message.id) for message in read_po(file, locale="zh_Hans")}

    assert found - {str(message.id) for message in catalog} == set()


def _strings(message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def _plural_id(message) -> str:
    return message.id[-1] if isinstance(message.id, tuple) else message.id
