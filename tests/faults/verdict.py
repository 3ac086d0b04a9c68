"""What was lost, doubled, out of order or left without an answer, in the database and on screens."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.faults.screen import Line

QUERY = (
    "SELECT m.id, m.conversation_id, c.uid, c.last_seq, c.status, m.seq, m.sender, m.client_id,"
    " m.answers_id, m.text, m.awaits_answer"
    " FROM chat_message m JOIN chat_conversation c ON c.id = m.conversation_id"
    " ORDER BY c.opened_at, m.conversation_id, m.seq, m.id"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it is stored."""

    id: int
    conversation: str
    uid: str
    last_seq: int  # of the conversation
    status: str
    seq: int
    sender: str
    client_id: str
    answers: int | None
    text: str
    awaits_answer: bool

    @classmethod
    def of(cls, columns: Sequence[Any]) -> "Row":
        values = list(columns)
        values[1] = str(UUID(str(values[1])))
        values[7] = str(UUID(str(values[7]))) if values[7] else ""
        values[10] = bool(values[10])
        return cls(*values)

    @property
    def line(self) -> Line:
        return (self.seq, self.sender, self.client_id, self.text)


@dataclass
class Verdict:
    """Each list names what went wrong; all empty, and nothing did."""

    messages: int = 0  # typed
    answers: int = 0  # of the bot
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)  # in the database, or a gap in seq
    unanswered: list[str] = field(default_factory=list)
    screens: list[str] = field(default_factory=list)  # that differ from the database
    refused: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not any(
            (
                *(self.lost, self.doubled, self.disordered),
                *(self.unanswered, self.screens, self.refused),
            )
        )


def judge(rows: Sequence[Row], typed: Iterable[Sequence[str]]) -> Verdict:
    """Compare the database with what was typed.

    Args:
        typed: Of each device the `client_id`s, in the order of typing.
    """
    verdict = Verdict()
    by_client_id: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.client_id:
            by_client_id[row.client_id].append(place)
    for of_device in typed:
        verdict.messages += len(of_device)
        places = []
        for client_id in of_device:
            found = by_client_id.get(client_id, [])
            if not found:
                verdict.lost.append(f"message {client_id}")
            if len(found) > 1:
                verdict.doubled.append(f"message {client_id}: {len(found)} times")
            places += found[:1]
        for earlier, later in itertools.pairwise(places):
            if later < earlier and rows[later].conversation == rows[earlier].conversation:
                verdict.disordered.append(f"{rows[later].client_id} was typed later than stored")
    _judge_conversations(rows, verdict)
    return verdict


def by_conversation(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Group rows, once for all who look for their own: a long run has 200,000 of them."""
    conversations: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        conversations[row.conversation].append(row)
    return dict(conversations)


def _judge_conversations(rows: Sequence[Row], verdict: Verdict) -> None:
    for name, lines in by_conversation(rows).items():
        seqs = [row.seq for row in lines]
        if seqs != list(range(1, lines[0].last_seq + 1)):
            verdict.disordered.append(f"conversation {name}: seq {seqs} of {lines[0].last_seq}")
        answers = Counter(row.answers for row in lines if row.answers is not None)
        verdict.answers += answers.total()
        for asked, times in answers.items():
            if times > 1:
                verdict.doubled.append(f"answer to {asked}: {times} times")
        answered = {row.id for row in lines if row.id in answers}
        last_answered = max((row.seq for row in lines if row.id in answered), default=0)
        # What a human was called for is his to answer.
        is_the_bots = all(row.sender in ("CUSTOMER", "BOT") for row in lines)
        for row in lines:
            # Of messages in quick succession the last one gets the answer to all.
            is_left = row.sender == "CUSTOMER" and row.id not in answered
            if row.awaits_answer or (is_left and is_the_bots and row.seq > last_answered):
                verdict.unanswered.append(f"conversation {name}, seq {row.seq}")


def judge_screen(
    name: str, shown: Mapping[str, Sequence[Line]], conversations: Mapping[str, Sequence[Row]]
) -> list[str]:
    """Compare what one screen shows of its current conversations with the database.

    Args:
        shown: Lines by conversation, in the order on the screen.
        conversations: What is stored, as `by_conversation` groups it.
    """
    wrong = []
    for conversation, lines in shown.items():
        stored = [row.line for row in conversations.get(conversation, ())]
        if list(lines) == stored:
            continue
        missing = [line[0] for line in sorted(set(stored) - set(lines))]
        too_many = [line[0] for line in sorted(set(lines) - set(stored))]
        times = [
            key for key, count in Counter(line[2] for line in lines if line[2]).items() if count > 1
        ]
        wrong.append(
            f"{name}: missing {missing}, not stored {too_many}, twice {times}"
            if missing or too_many or times
            else f"{name}: in another order"
        )
    return wrong
