"""docs/asyncapi.yaml, read: which frames go which way, and whether one is as it says."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

FILE = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
Schema = dict[str, Any]


@cache
def document() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def resolved(pointer: str) -> Any:
    """Return what a "#/a/b" of the file refers to; raises KeyError where that is nothing."""
    found: Any = document()
    for name in pointer.removeprefix("#/").split("/"):
        found = found[name]
    return resolved(found["$ref"]) if isinstance(found, dict) and "$ref" in found else found


def references(part: Any) -> Iterator[str]:
    """Yield every "$ref" in a part of the file."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)


@cache
def payloads(address: str, action: str) -> dict[str, Schema]:
    """Return the payload by `type`.

    Args:
        address: Of the socket.
        action: "receive" for what the server takes, "send" for what it sends.
    """
    found = {}
    for operation in document()["operations"].values():
        channel = resolved(operation["channel"]["$ref"])
        if operation["action"] == action and channel["address"] == address:
            for message in operation["messages"]:
                payload = resolved(message["$ref"])["payload"]
                found[payload["properties"]["type"]["const"]] = payload
    return found


@cache
def _validator(address: str, kind: str) -> Draft202012Validator:
    # The references of a payload go to the whole file.
    schema = {**payloads(address, "send")[kind], "components": document()["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def check_sent(address: str, frame: dict[str, Any]) -> None:
    """Raise jsonschema.ValidationError, or KeyError for a type that is not there."""
    _validator(address, frame["type"]).validate(frame)
