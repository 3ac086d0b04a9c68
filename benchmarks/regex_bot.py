"""A bot of keywords and regular expressions, as shops write them, made from labelled messages.

    python -m benchmarks.regex_bot --data DIR [--port PORT]

Its rules are induced instead of written by hand: every run of words or characters, and every
pair of them in order (`A.*B`), that points to one intent often enough becomes a rule; the surest
come first, and a rule stays when it is the first to catch a message of its intent (a decision
list: Rivest 1987, by sequential covering). The first rule that matches answers; without one the
bot hands over. How sure and how frequent a rule must be is chosen on dev.csv: the most right
answers among the lists that hand over at most `HANDED_OVER_MOST` there. With --port it serves
POST / {"text"} by Flask on threads; without, it prints how it fares on dev and its rules.
"""

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks import trained_model

# What such a bot hands over where it is used; a list that hands over less is wrong more often.
HANDED_OVER_MOST = 0.30
PRECISIONS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
SUPPORTS = (2, 3, 4)
_UNIT = re.compile(r"[a-z0-9]+|[^\W_]")  # a Latin word or number, or one character
_LONGEST = 5  # units of a keyword
_PART = 2  # units of each half of a pair

Example = tuple[str, str]  # text, label


@dataclass(frozen=True, slots=True)
class Rule:
    """One regular expression and the intent it stands for."""

    pattern: re.Pattern[str]
    intent: str
    right: int  # training messages that it catches rightly
    wrong: int

    @property
    def precision(self) -> float:
        """Laplace's estimate of its being right: one more miss than was seen."""
        return self.right / (self.right + self.wrong + 1)


@dataclass(frozen=True, slots=True)
class Bot:
    """A decision list."""

    rules: tuple[Rule, ...]

    def rule_for(self, text: str) -> Rule | None:
        """Return the first rule that matches, None when the bot hands over."""
        said = plain(text)
        return next((rule for rule in self.rules if rule.pattern.search(said)), None)

    def intent_of(self, text: str) -> str:
        """Return the intent it answers, "" when it hands over."""
        rule = self.rule_for(text)
        return rule.intent if rule else ""


@dataclass(frozen=True, slots=True)
class Shares:
    """What becomes of messages; the three add up to 1."""

    right: float
    wrong: float
    handed_over: float


def plain(text: str) -> str:
    """Return what patterns are matched against: units, Latin words set off by spaces."""
    return "".join(f" {unit} " if unit.isascii() else unit for unit in units(text))


def units(text: str) -> list[str]:
    return _UNIT.findall(text.casefold())


def induce(train: Sequence[Example], *, precision: float, support: int) -> Bot:
    """Make the list of rules that are right in at least these many training messages.

    Args:
        precision: Least precision of a rule on `train`, by Laplace's estimate.
        support: Least number of messages that it catches rightly.
    """
    caught: dict[str, set[int]] = defaultdict(set)
    for number, (text, _label) in enumerate(train):
        for pattern in set(_patterns(units(text))):
            caught[pattern].add(number)
    candidates = []
    for pattern, numbers in caught.items():
        if len(numbers) < support:
            continue
        intent, right = Counter(train[number][1] for number in numbers).most_common(1)[0]
        rule = Rule(re.compile(pattern), intent, right, len(numbers) - right)
        if right >= support and rule.precision >= precision:
            candidates.append(rule)
    # The shorter of two that are as good: it catches what training has not seen.
    candidates.sort(
        key=lambda rule: (
            -rule.precision,
            -rule.right,
            len(rule.pattern.pattern),
            rule.pattern.pattern,
        )
    )
    rules, left = [], set(range(len(train)))
    for rule in candidates:
        first = caught[rule.pattern.pattern] & left
        if any(train[number][1] == rule.intent for number in first):
            rules.append(rule)
            left -= first
    return Bot(tuple(rules))


def _patterns(said: Sequence[str]) -> Iterator[str]:
    """Yield the expressions that a message gives rise to."""
    for length in range(1, _LONGEST + 1):
        for start in range(len(said) - length + 1):
            if length > 1 or said[start].isascii():
                yield _keyword(said[start : start + length])
    for first in range(len(said) - 2 * _PART + 1):
        for second in range(first + _PART, len(said) - _PART + 1):
            yield f"{_keyword(said[first : first + _PART])}.*{_keyword(said[second : second + _PART])}"


def _keyword(run: Sequence[str]) -> str:
    return "".join(f" {unit} " if unit.isascii() else unit for unit in run)


def shares(bot: Bot, examples: Iterable[Example]) -> Shares:
    """Return what becomes of labelled messages."""
    outcomes = Counter(
        "handed over" if not (intent := bot.intent_of(text)) else intent == label
        for text, label in examples
    )
    number = outcomes.total()
    return Shares(
        outcomes[True] / number, outcomes[False] / number, outcomes["handed over"] / number
    )


def choose(
    train: Sequence[Example], dev: Sequence[Example]
) -> tuple[Bot, list[tuple[Bot, Shares]]]:
    """Return the list for use, and all that were tried with what became of dev.

    Among the lists that hand over at most `HANDED_OVER_MOST` of dev: the most right answers,
    and of those the fewest wrong ones. If all hand over more: the one that hands over least.
    """
    tried = []
    for precision, support in product(PRECISIONS, SUPPORTS):
        bot = induce(train, precision=precision, support=support)
        tried.append((bot, shares(bot, dev)))
    able = [pair for pair in tried if pair[1].handed_over <= HANDED_OVER_MOST]
    if able:
        return max(able, key=lambda pair: (pair[1].right, -pair[1].wrong))[0], tried
    return min(tried, key=lambda pair: pair[1].handed_over)[0], tried


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, dev.csv")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    train, dev = (trained_model.read(options.data / f"{name}.csv") for name in ("train", "dev"))
    bot, tried = choose(train, dev)
    if options.port:
        from benchmarks import flask_bot

        flask_bot.serve(bot.intent_of, options.port)
        return
    print("on dev: right, wrong, handed over, rules")
    for each, of in tried:
        chosen = "  <- chosen" if each is bot else ""
        print(f"{of.right:6.1%} {of.wrong:6.1%} {of.handed_over:6.1%} {len(each.rules):6}{chosen}")
    for rule in bot.rules[:20]:
        print(f"{rule.precision:.2f} {rule.right:4} {rule.intent}  /{rule.pattern.pattern}/")


if __name__ == "__main__":
    main()
