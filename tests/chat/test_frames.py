"""Frames in: whatever a client sends is either exactly what the protocol says, or refused."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat import protocol

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KINDS = st.sampled_from([*protocol.CUSTOMER, *protocol.WORKSPACE])
FIELDS = ["token", "conversation", "after", "client_id", "text", "language"]
FRAMES = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    KINDS | JSON,
    st.dictionaries(st.sampled_from(FIELDS), JSON),
)
UUID = "7d5dd1d9-5d0f-4a4b-8d7e-0a8f6f0f6d10"


@given(text=st.text() | JSON.map(json.dumps) | FRAMES.map(json.dumps))
@example("[" * 100_000)
@example("")
@example("nan")
@example(json.dumps({"type": "catch_up", "after": 10**30}))
@example(json.dumps({"type": "message", "client_id": UUID, "text": "\ud800"}))
@example(json.dumps({"type": "message", "client_id": UUID, "text": "a\0b"}))
def test_garbage_is_refused_and_never_crashes(text: str):
    for frames in (protocol.CUSTOMER, protocol.WORKSPACE):
        try:
            kind, fields = protocol.parse(text, frames)
        except protocol.InvalidFrame:
            continue
        assert set(fields) <= set(frames[kind]().fields)
        assert 0 <= fields.get("after", 0) < 2**31
        assert "\0" not in fields.get("text", "")
        fields.get("text", "").encode()


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            {"type": "hello", "token": "t"},
            {"token": "t", "language": "zh", "conversation": None, "after": 0},
        ),
        ({"type": "ping", "of_a_newer_client": 1}, {}),
        ({"type": "message", "client_id": UUID, "text": "  "}, None),
    ],
)
def test_what_the_protocol_says_goes_through(frame: dict[str, Any], expected: Any):
    kind, fields = protocol.parse(json.dumps(frame), protocol.CUSTOMER)

    assert kind == frame["type"]
    if expected is not None:
        assert fields == expected
    else:
        assert (str(fields["client_id"]), fields["text"]) == (UUID, "  ")


def test_a_refused_message_names_its_client_id():
    with pytest.raises(protocol.InvalidFrame) as refusal:
        protocol.parse(json.dumps({"type": "message", "client_id": UUID}), protocol.CUSTOMER)

    assert refusal.value.client_id == UUID
