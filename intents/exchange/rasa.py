"""Rasa's training data: `nlu.yml` of versions 2 and 3 (https://rasa.com/docs/rasa/nlu-training-data).

Of annotated entities the words stay: `[iPhone](product)` is iPhone. Synonyms, lookup tables and
regular expressions are passed over, and said to be.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from django.utils.translation import gettext as _

from intents import language
from intents.exchange.sentences import BYTES_MOST, CHARS_MOST, BadFile, Contents, Sentence

# rasa/shared/nlu/training_data/entities_parser.py, with bounds: [text](entity:value),
# [text]{"entity": …}, and [text][{"entity": …}, …].
_ANNOTATED = re.compile(
    r"\[(?P<text>[^\[\]]{1,500})\]"
    r"(?:\((?P<entity>[^:()\n]{1,100})(?::(?P<value>[^()\n]{1,500}))?\)"
    r"|(?P<dict>\{[^{}\n]{1,500}\})|\[(?P<list>\s*\{[^\[\]\n]{1,1000}\}\s*)\])"
)
# Deeper than any file of Rasa; libyaml composes by recursion.
_DEPTH_MOST = 12
_OTHERS = ("synonym", "lookup", "regex")


def read(data: bytes) -> Contents:
    """Read an `nlu.yml`.

    Raises:
        BadFile: It is none, too large, or built to be.
    """
    document = _loaded(data)
    if not isinstance(document, dict) or not isinstance(document.get("nlu"), list):
        raise BadFile(_("This is no nlu.yml of Rasa: it has no list “nlu”."))
    contents = Contents()
    for item in document["nlu"]:
        if not isinstance(item, dict):
            contents.pass_over(_("entries that are no intent"))
        elif isinstance(name := item.get("intent"), str) and name.strip():
            _read_intent(name.strip(), item.get("examples"), contents)
        else:
            kind = next((kind for kind in _OTHERS if kind in item), "")
            contents.pass_over(_name_of(kind))
    others = set(document) - {"nlu", "version"}
    for name in sorted(map(str, others)):
        contents.pass_over(_("section “%(name)s”") % {"name": name[:40]})
    return contents


def _name_of(kind: str) -> str:
    return {
        "synonym": _("synonyms"),
        "lookup": _("lookup tables"),
        "regex": _("regular expressions"),
    }.get(kind, _("entries that are no intent"))


def _loaded(data: bytes) -> Any:
    """Return the document; one with references or many levels is refused before it is built."""
    if len(data) > BYTES_MOST:
        raise BadFile(_("The file is larger than 20 MB. Divide it."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile(_("This is no YAML file in UTF-8.")) from None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                # A few lines of references to references are gigabytes.
                raise BadFile(_("The file refers to its own parts (YAML anchors). Write them out."))
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH_MOST:
                raise BadFile(_("The file is nested too deeply."))
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, BadFile):
            raise
        mark = getattr(error, "problem_mark", None)
        raise BadFile(
            _("This is no YAML: line %(line)s.") % {"line": mark.line + 1 if mark else "?"}
        ) from error


def _read_intent(name: str, examples: Any, contents: Contents) -> None:
    for number, (text, metadata) in enumerate(_examples(examples), start=1):
        bare = plain(text)
        if bare != text:
            contents.pass_over(_("annotated entities (the words are kept)"))
        contents.add(
            Sentence(
                place=f"{name[:120]} #{number}",
                intent=name,
                text=bare[:CHARS_MOST],
                language=_said(metadata, "language"),
                family=_said(metadata, "family"),
                split=_said(metadata, "split"),
            )
        )


def _examples(examples: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield texts with their metadata: of a block of lines, or of a list of mappings."""
    if isinstance(examples, str):
        for line in examples.splitlines():
            if text := line.strip().removeprefix("-").strip():
                yield text, {}
    elif isinstance(examples, list):
        for each in examples:
            if isinstance(each, dict) and isinstance(told := each.get("text"), str):
                metadata = each.get("metadata")
                bare = told.strip().removeprefix("- ").strip()
                if bare:
                    yield bare, metadata if isinstance(metadata, dict) else {}
            elif isinstance(each, str) and each.strip():
                yield each.strip(), {}


def _said(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name)
    return value if isinstance(value, str) else ""


def plain(text: str) -> str:
    """Return a sentence without the annotation of its entities."""
    return _ANNOTATED.sub(lambda found: found["text"], text).strip()


def write(rows: Iterable[tuple[str, str, str, str, str]]) -> str:
    """Return an `nlu.yml`.

    What Rasa does not know (language where it cannot be guessed, family, evaluation) stands in
    `metadata`, which it passes over and `read` reads.

    Args:
        rows: Intent.code, text, language, family, split; those of one intent together.
    """
    lines = ['version: "3.1"', "nlu:"]
    before = None
    for code, text, spoken, family, split in rows:
        if code != before:
            lines += [f"- intent: {json.dumps(code)}", "  examples:"]
            before = code
        metadata = {
            **({"language": spoken} if language.detect(text) != spoken else {}),
            **({"family": family} if family else {}),
            **({"split": split} if split != "train" else {}),
        }
        # JSON is YAML, and leaves nothing to be mistaken for a number, a date or a comment.
        lines.append(f"  - text: {_quoted(text)}")
        if metadata:
            lines.append(f"    metadata: {_quoted(metadata)}")
    return "\n".join(lines if before is not None else [*lines[:-1], "nlu: []"]) + "\n"


def _quoted(value: Any) -> str:
    # Line separators of Unicode end a line of YAML; JSON lets them stand. Half of a pair that JSON
    # writes for what lies beyond U+FFFF is no character to YAML.
    written = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)
