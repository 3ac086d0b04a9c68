"""What one client shows, and what it has still to send: docs/protocol.md, without a network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]
Line = tuple[int, str, str, str]  # seq, sender, client_id or "", text


@dataclass
class Screen:
    """Messages merged by seq, and the outbox; what static/js/timeline.js does for browsers."""

    me: str = "CUSTOMER"  # whose messages are typed here
    conversation: str | None = None
    status: str = "BOT"
    last_seq: int = 0
    lines: dict[str, dict[int, Line]] = field(default_factory=dict)  # by conversation
    outbox: dict[str, str] = field(default_factory=dict)  # client_id to text, in order
    refused: list[tuple[str, str]] = field(default_factory=list)  # client_id, code

    def reload(self) -> None:
        """Forget what was shown; the outbox is kept."""
        self.conversation, self.last_seq, self.lines = None, 0, {}

    def post(self, client_id: str, text: str) -> None:
        self.outbox[client_id] = text

    @property
    def complete_up_to(self) -> int:
        shown = self.lines.get(self.conversation or "", {})
        seq = 0
        while seq + 1 in shown:
            seq += 1
        return seq

    @property
    def has_gap(self) -> bool:
        return self.complete_up_to < self.last_seq

    def receive(self, frame: Frame) -> None:
        """Apply one frame; applying it again, or late, changes nothing."""
        kind = frame["type"]
        if kind == "welcome" and frame["conversation"] is None:
            self.status = "CLOSED" if self.conversation else frame["status"]
        elif kind == "welcome":
            self._enter(frame["conversation"])
            self.status = frame["status"]
            self.last_seq = max(self.last_seq, frame["last_seq"])
        elif kind == "status" and frame["conversation"] == self.conversation:
            self.status = frame["status"]
        elif kind == "accepted":
            line = {**frame, "sender": self.me}
            self._merge(frame["conversation"], [line], frame["seq"])
        elif kind == "messages":
            self._merge(frame["conversation"], frame["messages"], frame["last_seq"])

    def _enter(self, conversation: str) -> None:
        if conversation != self.conversation:
            self.conversation, self.last_seq = conversation, 0

    def _merge(self, conversation: str, messages: Sequence[Frame], last_seq: int) -> None:
        if conversation != self.conversation and conversation in self.lines:
            return  # late, of one that has ended
        self._enter(conversation)
        shown = self.lines.setdefault(conversation, {})
        for one in messages:
            client_id = one["client_id"] or ""
            shown[one["seq"]] = (one["seq"], one["sender"], client_id, one["text"])
            self.outbox.pop(client_id, None)
        self.last_seq = max(self.last_seq, last_seq, *shown, 0)
