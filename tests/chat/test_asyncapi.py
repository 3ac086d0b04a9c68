"""docs/asyncapi.yaml is true: it has every frame of the code with its fields, and no other."""

import ast
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rest_framework import serializers

from chat import protocol
from chat.routing import websocket_urlpatterns
from tests.chat import asyncapi

ROOT = Path(__file__).resolve().parents[2]
TAKEN = {"/ws/chat/": protocol.CUSTOMER, "/ws/workspace/": protocol.WORKSPACE}
_TYPES = {
    serializers.UUIDField: "string",
    serializers.ListField: "array",
    serializers.CharField: "string",
    serializers.IntegerField: "integer",
    serializers.BooleanField: "boolean",
    serializers.ListField: "array",
}


def test_every_socket_and_nothing_else_is_described():
    addresses = {channel["address"] for channel in asyncapi.document()["channels"].values()}

    assert addresses == {f"/{pattern.pattern}" for pattern in websocket_urlpatterns} == set(TAKEN)


def test_every_reference_leads_somewhere():
    for pointer in asyncapi.references(asyncapi.document()):
        assert asyncapi.resolved(pointer)


def test_every_message_of_a_channel_goes_one_way_or_the_other():
    for name, channel in asyncapi.document()["channels"].items():
        described = {f"#/channels/{name}/messages/{key}" for key in channel["messages"]}
        used = [
            message["$ref"]
            for operation in asyncapi.document()["operations"].values()
            for message in operation["messages"]
            if message["$ref"].startswith(f"#/channels/{name}/")
        ]
        assert sorted(used) == sorted(described)


@pytest.mark.parametrize(
    ("address", "kind"), [(address, kind) for address in TAKEN for kind in TAKEN[address]]
)
def test_what_the_server_takes_is_described_field_by_field(address: str, kind: str):
    described = asyncapi.payloads(address, "receive")[kind]
    fields = TAKEN[address][kind]().fields

    assert set(described["properties"]) == {"type", *fields}
    assert set(described["required"]) == {
        "type",
        *(name for name, field in fields.items() if field.required),
    }
    for name, field in fields.items():
        schema = described["properties"][name]
        schema = asyncapi.resolved(schema["$ref"]) if "$ref" in schema else schema
        assert _says(schema) == _means(field), name


def _says(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return {
        "type": next((kind for kind in kinds if kind != "null"), None),
        "null": "null" in kinds,
        "uuid": schema.get("format") == "uuid",
        "enum": schema.get("enum"),
        "least": schema.get("minimum"),
        "most": schema.get("maximum", schema.get("maxLength", schema.get("maxItems"))),
        "default": schema.get("default"),
    }


def _means(field: serializers.Field) -> dict[str, Any]:
    is_choice = isinstance(field, serializers.ChoiceField)
    most = [getattr(field, name, None) for name in ("max_value", "max_length")]
    return {
        "type": None if is_choice else _TYPES[type(field)],
        "null": field.allow_null,
        "uuid": isinstance(field, serializers.UUIDField),
        "enum": list(field.choices) if is_choice else None,
        "least": getattr(field, "min_value", None),
        "most": next((one for one in most if one is not None), None),
        "default": _default_of(field),
    }


def _default_of(field: serializers.Field) -> Any:
    if field.default is serializers.empty:
        return None
    return field.default() if callable(field.default) else field.default


@pytest.mark.parametrize("address", TAKEN)
def test_nothing_is_described_that_the_server_does_not_take(address: str):
    assert set(asyncapi.payloads(address, "receive")) == set(TAKEN[address])


def sent_types() -> set[str]:
    """Return the `type` of every frame that chat/sockets.py makes or a consumer writes out."""
    found = set()
    for path in [ROOT / "chat/sockets.py", *(ROOT / "chat/consumers").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            written: list[ast.expr | None] = []
            if isinstance(node, ast.Return):
                written = [node.value]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "say":
                written = list(node.args)
            for literal in written:
                if not isinstance(literal, ast.Dict):
                    continue
                for key, value in zip(literal.keys, literal.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "type":
                        assert isinstance(value, ast.Constant)
                        found.add(value.value)
    return found


def test_every_type_that_is_sent_is_described_and_no_other():
    described = {kind for address in TAKEN for kind in asyncapi.payloads(address, "send")}

    assert described == sent_types()


def test_a_frame_with_a_field_too_many_or_too_few_is_found_out():
    pong = {"type": "pong"}
    asyncapi.check_sent("/ws/chat/", pong)

    with pytest.raises(jsonschema.ValidationError):
        asyncapi.check_sent("/ws/chat/", {**pong, "more": 1})
    with pytest.raises(jsonschema.ValidationError):
        asyncapi.check_sent("/ws/chat/", {"type": "refused", "code": "blocked"})
    with pytest.raises(KeyError):
        asyncapi.check_sent("/ws/chat/", {"type": "inbox"})
