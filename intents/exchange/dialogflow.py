"""Dialogflow ES: the zip of "Export as ZIP" (https://cloud.google.com/dialogflow/es/docs/agents-settings).

`intents/NAME_usersays_LANGUAGE.json` hold the sentences, in parts of which some are entities:
their words stay. Responses, contexts, entities and templates (`@sys.date`) are passed over, and
said to be.
"""

import json
import re
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from intents.exchange.sentences import BYTES_MOST, CHARS_MOST, BadFile, Contents, Sentence
from intents.models import Language

_FILES_MOST = 20_000
_FILE_BYTES_MOST = 20_000_000
_ALL_BYTES_MOST = 200_000_000  # unpacked
_SENTENCES = re.compile(
    r"(?:[^/]+/)?intents/(?P<intent>[^/]+)_usersays_(?P<language>[a-z]{2})(?:-[a-z]+)?\.json",
    re.IGNORECASE,
)
_INTENT = re.compile(r"(?:[^/]+/)?intents/(?P<intent>[^/]+)\.json", re.IGNORECASE)


def read(data: bytes) -> Contents:
    """Read an exported agent.

    Raises:
        BadFile: It is none, damaged, too large, or built to be.
    """
    if len(data) > BYTES_MOST:
        raise BadFile(_("The file is larger than 20 MB. Divide it."))
    contents = Contents()
    try:
        with ZipFile(BytesIO(data)) as archive:
            files = archive.infolist()
            _require_sane(files)
            for file in sorted(files, key=lambda each: each.filename):
                _read_file(archive, file, contents)
    # What zipfile raises on archives that are none, damaged, encrypted or of unknown methods.
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, BadFile):
            raise
        raise BadFile(_("This is no zip file that can be read.")) from error
    except Exception as error:  # zlib.error and what damaged entries lead to
        raise BadFile(_("This is no zip file that can be read.")) from error
    if not contents.sentences and not any(_INTENT.fullmatch(file.filename) for file in files):
        raise BadFile(_("This is no agent of Dialogflow ES: it has no folder “intents”."))
    return contents


def _require_sane(files: list[ZipInfo]) -> None:
    """Refuse what unpacks to more than an agent has. What entries claim is checked when read."""
    if len(files) > _FILES_MOST or sum(file.file_size for file in files) > _ALL_BYTES_MOST:
        raise BadFile(_("The zip file holds more than an agent has."))


def _read_file(archive: ZipFile, file: ZipInfo, contents: Contents) -> None:
    name = file.filename
    said = _SENTENCES.fullmatch(name)
    if said is None:
        if re.match(r"(?:[^/]+/)?entities/", name) and name.endswith(".json"):
            contents.pass_over(_("files of entities"))
        elif _INTENT.fullmatch(name):
            _pass_over_answers(_json(archive, file), contents)
        return
    spoken = said["language"].lower()
    rows = _json(archive, file)
    if not isinstance(rows, list):
        raise BadFile(_("“%(name)s” is damaged.") % {"name": name[:80]})
    if spoken not in Language.values:
        contents.pass_over(_("sentences in other languages than Chinese and English"), len(rows))
        return
    for number, row in enumerate(rows, start=1):
        _read_sentence(row, f"{said['intent'][:100]} {spoken} #{number}", said, spoken, contents)


def _read_sentence(
    row: Any, place: str, said: "re.Match[str]", spoken: str, contents: Contents
) -> None:
    parts = row.get("data") if isinstance(row, dict) else None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        contents.pass_over(_("entries that are no sentence"))
        return
    if row.get("isTemplate"):
        contents.pass_over(_("templates with @entities in place of words"))
        return
    text = "".join(part["text"] for part in parts if isinstance(part.get("text"), str)).strip()
    if not text:
        contents.pass_over(_("entries that are no sentence"))
        return
    if any(part.get("meta") or part.get("alias") for part in parts):
        contents.pass_over(_("annotated entities (the words are kept)"))
    contents.add(Sentence(place, said["intent"], text[:CHARS_MOST], language=spoken))


def _pass_over_answers(intent: Any, contents: Contents) -> None:
    responses = intent.get("responses") if isinstance(intent, dict) else None
    for response in responses if isinstance(responses, list) else ():
        messages = response.get("messages") if isinstance(response, dict) else None
        if isinstance(messages, list) and messages:
            contents.pass_over(_("responses"), len(messages))


def _json(archive: ZipFile, file: ZipInfo) -> Any:
    with archive.open(file) as opened:
        data = opened.read(_FILE_BYTES_MOST + 1)  # what it unpacks to, not what it says
    if len(data) > _FILE_BYTES_MOST:
        raise BadFile(_("The zip file holds more than an agent has."))
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadFile(_("“%(name)s” is damaged.") % {"name": file.filename[:80]}) from None
