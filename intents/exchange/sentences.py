"""What a file of labelled sentences comes down to, whatever program wrote it."""

from dataclasses import dataclass, field

from django.utils.translation import gettext

# Of one file. Beyond that it is no list of customers' sentences any more.
BYTES_MOST = 20_000_000
SENTENCES_MOST = 200_000
# Of a text; utterances have 500 at most, and what is longer is told so row by row.
CHARS_MOST = 2_000


class BadFile(ValueError):
    """A file cannot be read; the message is for the person who chose it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One labelled sentence of a file, as it stands there."""

    place: (
        str  # where, as a person finds it: "row 12", "line 40", "intents/Refund_usersays_en.json"
    )
    intent: str
    text: str
    language: str = ""  # "" where the file does not say
    family: str = ""
    split: str = ""


@dataclass(slots=True)
class Contents:
    """All of a file."""

    sentences: list[Sentence] = field(default_factory=list)
    # What it holds that we have no place for: words for staff, each once with its number.
    passed_over: dict[str, int] = field(default_factory=dict)

    def pass_over(self, what: str, number: int = 1) -> None:
        """Note that something in the file is not taken."""
        self.passed_over[what] = self.passed_over.get(what, 0) + number

    def add(self, sentence: Sentence) -> None:
        """Take a sentence.

        Raises:
            BadFile: There are more than anybody has.
        """
        if len(self.sentences) >= SENTENCES_MOST:
            raise BadFile(too_many())
        self.sentences.append(sentence)


def too_many() -> str:
    """Say that a file has more sentences than are read."""
    return gettext("The file has more than %(most)d sentences. Divide it.") % {
        "most": SENTENCES_MOST
    }
