"""The judge of the fault matrix: whatever is lost, doubled or out of order is found out."""

import random
from dataclasses import replace
from uuid import UUID

import pytest

from tests.faults.screen import Screen
from tests.faults.verdict import Row, by_conversation, judge, judge_screen

CONVERSATION = str(UUID(int=1))
A, B = str(UUID(int=10)), str(UUID(int=11))


def stored() -> list[Row]:
    """Two questions with their answers."""
    lines = [
        (1, "CUSTOMER", A, None),
        (2, "BOT", "", 1),
        (3, "CUSTOMER", B, None),
        (4, "BOT", "", 3),
    ]
    return [
        Row(
            id=seq,
            conversation=CONVERSATION,
            uid="anon-1",
            last_seq=4,
            status="BOT",
            seq=seq,
            sender=sender,
            client_id=client_id,
            answers=answers,
            text=f"text {seq}",
            awaits_answer=False,
        )
        for seq, sender, client_id, answers in lines
    ]


def test_what_is_as_it_should_be_is_clean():
    verdict = judge(stored(), [[A, B]])

    assert verdict.is_clean
    assert (verdict.messages, verdict.answers) == (2, 2)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda rows: rows[:2], {"lost", "disordered"}),
        (lambda rows: [*rows, replace(rows[2], id=5, seq=5)], {"doubled", "disordered", "unanswered"}),
        (lambda rows: [*rows, replace(rows[3], id=5, seq=5)], {"doubled", "disordered"}),
        (lambda rows: [replace(rows[0], client_id=B), rows[1], replace(rows[2], client_id=A), rows[3]], {"disordered"}),
        (lambda rows: [replace(row, last_seq=3) for row in rows[:3]], {"unanswered"}),
        (lambda rows: [replace(rows[0], awaits_answer=True), *rows[1:]], {"unanswered"}),
        (lambda rows: [replace(row, last_seq=5) for row in rows], {"disordered"}),
    ],
    ids=["lost", "message twice", "answer twice", "swapped", "no answer", "answer owed", "gap"],
)  # fmt: skip
def test_what_is_wrong_in_the_database_is_found(change, found):
    verdict = judge(change(stored()), [[A, B]])

    lists = ("lost", "doubled", "disordered", "unanswered")
    assert {name for name in lists if getattr(verdict, name)} == found


def test_the_order_counts_within_a_conversation():
    other = [replace(row, conversation=str(UUID(int=2))) for row in stored()]
    rows = [replace(row, client_id=row.client_id and str(UUID(int=row.id))) for row in other]

    assert judge([*rows, *stored()], [[A, str(UUID(int=1)), B, str(UUID(int=3))]]).is_clean


def test_a_screen_that_lacks_or_doubles_a_line_is_found():
    rows = stored()
    shown = [row.line for row in rows]

    conversations = by_conversation(rows)
    assert judge_screen("it", {CONVERSATION: shown}, conversations) == []
    assert judge_screen("it", {CONVERSATION: shown[:3]}, conversations)
    assert judge_screen("it", {CONVERSATION: [*shown, (5, "CUSTOMER", B, "text 3")]}, conversations)
    assert judge_screen("it", {CONVERSATION: shown[::-1]}, conversations)


def test_a_screen_merges_frames_in_any_order_and_any_number():
    rows = stored()
    frames = [
        {
            "type": "messages",
            "conversation": CONVERSATION,
            "last_seq": 4,
            "messages": [
                {"seq": r.seq, "sender": r.sender, "client_id": r.client_id or None, "text": r.text}
            ],
        }
        for r in rows
    ]
    for seed in range(20):
        screen = Screen()
        screen.post(A, "text 1")
        for frame in random.Random(seed).choices(frames, k=6) + frames[::-1]:
            screen.receive(frame)
        assert not screen.has_gap
        assert screen.outbox == {}
        assert [line for _seq, line in sorted(screen.lines[CONVERSATION].items())] == [
            row.line for row in rows
        ]
