"""Cross-fitting, and which change of the data made sentences flip: without a network."""

import random
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from intents.inference.base import Floats
from intents.inference.scoring import ngrams
from intents.lineage import Lineage, Step
from training.gate import causes
from training.gate.crossfit import Learner, Space, fold_of
from training.gate.evidence import Change, Labelled
from training.gate.kinship import Kinship, Labels
from training.gate.verdict import Cause, Flip

WORDS = {
    "refund": ["退款", "退钱", "还钱", "返款", "钱退回"],
    "delivery": ["快递", "物流", "包裹", "到货", "派送"],
    "invoice": ["发票", "开票", "抬头", "税号", "报销"],
    "coupon": ["优惠券", "折扣", "满减", "红包", "抵扣"],
}
AROUND = ["什么时候", "怎么", "请问", "我的", "还没", "可以", "帮我", "查一下", "为什么", "能不能"]


def sentences(each: int = 40) -> list[Labelled]:
    chance = random.Random(1)
    found: dict[str, Labelled] = {}
    for intent, words in WORDS.items():
        while sum(one.intent == intent for one in found.values()) < each:
            text = "".join(
                (*chance.sample(AROUND, 2), *chance.sample(words, 2), chance.choice(AROUND))
            )
            found[text] = Labelled(text, intent, "zh")
    return list(found.values())


def embed(texts: Sequence[str]) -> Floats:
    """Stand in for the encoder: letters, hashed."""
    rows = np.zeros((len(texts), 32), np.float32)
    for row, text in enumerate(texts):
        for gram in ngrams(text):
            rows[row, zlib.crc32(gram.encode()) % 32] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def blamed(before: list[Labelled], after: list[Labelled]) -> list[Cause]:
    """What the sentences that cross-fitting shows to flip are put down to."""
    change = Change(before, after)
    space = Space.of([one.text for one in (*before, *after)], embed)
    old = Learner(before, space)
    agreed = change.agreed
    flips = [
        Flip(each.text, each.intent, now, is_frozen=False)
        for each, was, now in zip(
            agreed, old.read(agreed), Learner(after, space).read(agreed), strict=True
        )
        if was == each.intent != now
    ]
    missing = sorted({one.intent for one in before} - {one.intent for one in after})
    return causes.find(flips, change, space, old, missing)[0]


def relabelled(rows: Sequence[Labelled], source: str, target: str, share: float) -> list[Labelled]:
    own = [one for one in rows if one.intent == source]
    moved = {one.text for one in own[: round(share * len(own))]}
    return [Labelled(one.text, target) if one.text in moved else one for one in rows]


def test_the_learner_reads_sentences_by_those_of_other_folds() -> None:
    rows = sentences()
    space = Space.of([one.text for one in rows], embed)
    read = Learner(rows, space).read(rows)
    right = sum(guess == one.intent for guess, one in zip(read, rows, strict=True))
    assert right > 0.9 * len(rows)


def test_a_sentence_is_read_the_same_whatever_it_is_labelled_itself() -> None:
    rows = sentences()
    space = Space.of([one.text for one in rows], embed)
    changed = [Labelled(rows[0].text, "coupon"), *rows[1:]]
    assert Learner(rows, space).read(rows[:1]) == Learner(changed, space).read(rows[:1])


def test_paraphrases_of_a_family_share_a_fold_and_a_sentence_keeps_its_own() -> None:
    assert fold_of(Labelled("一", "a", family="f")) == fold_of(Labelled("二", "b", family="f"))
    assert fold_of(Labelled("怎么退款？", "a")) == fold_of(Labelled("怎么退款", "b"))


def test_moved_utterances_are_named_with_both_intents() -> None:
    rows = sentences()
    [first, *_] = blamed(rows, relabelled(rows, "refund", "coupon", 0.5))
    assert (first.kind, first.intent, first.other) == ("relabelled", "refund", "coupon")
    assert (first.sentences, first.of) == (20, 40)


def test_an_intent_without_utterances_is_named_before_anything_else() -> None:
    rows = sentences()
    [first, *_] = blamed(rows, [one for one in rows if one.intent != "invoice"])
    assert (first.kind, first.intent, first.sentences) == ("removed", "invoice", 40)


def test_copied_utterances_are_named_with_where_they_stand_now() -> None:
    rows = sentences()
    copies = [Labelled(one.text, "coupon") for one in rows if one.intent == "delivery"]
    [first, *_] = blamed(rows, rows + copies)
    assert (first.kind, first.intent, first.other) == ("copied", "delivery", "coupon")


def test_new_utterances_that_look_like_another_intent_are_named() -> None:
    rows = sentences(60)
    kept = [one for one in rows if one.intent != "delivery"]
    delivery = [one for one in rows if one.intent == "delivery"]
    new = [Labelled(one.text, "coupon") for one in delivery[30:]]
    [first, *_] = blamed(kept + delivery[:30], kept + delivery[:30] + new)
    assert (first.kind, first.intent, first.other) == ("added", "delivery", "coupon")


def test_what_is_spread_over_many_intents_is_one_cause() -> None:
    rows = sentences()
    chance = random.Random(3)
    after = [
        Labelled(one.text, chance.choice([code for code in WORDS if code != one.intent]))
        if chance.random() < 0.12
        else one
        for one in rows
    ]
    assert "scattered" in {one.kind for one in blamed(rows, after)}


def test_a_change_knows_what_nobody_disputes() -> None:
    before = [Labelled("甲", "a"), Labelled("乙", "a"), Labelled("丙", "b")]
    after = [Labelled("甲！", "a"), Labelled("乙", "b"), Labelled("丁", "b")]
    change = Change(before, after)
    assert [one.text for one in change.agreed] == ["甲"]
    assert [change.is_changed(one) for one in after] == [False, True, True]
    assert not change.is_none
    assert Change(before, list(reversed(before))).is_none


def test_lineage_reads_codes_of_then_as_those_of_now() -> None:
    lineage = Lineage.of(
        [("a", ["b"]), ("b", ["b", "c"]), ("d", ["c"]), ("c", ["e"]), ("e", ["d"])]
    )
    assert lineage.now("a") == {"b", "d"}
    assert lineage.now("d") == {"d"}
    assert lineage.now("other") == {"other"}


def test_a_code_that_is_taken_again_is_that_of_the_later_intent() -> None:
    lineage = Lineage.of([("a", ["b"]), ("b", ["a"])])
    assert lineage.now("a") == {"a"}


THEN = datetime(2026, 11, 1, tzinfo=UTC)


def steps(*steps: tuple[str, list[str]]) -> list[Step]:
    """One a day, the first a day after THEN."""
    return [
        Step(THEN + timedelta(days=day), source, tuple(targets))
        for day, (source, targets) in enumerate(steps, start=1)
    ]


def kinship(
    active: set[str], candidate: set[str], *made: tuple[str, list[str]], taught: int = 0
) -> Kinship:
    """A candidate made after all steps, an active model so many days after THEN."""
    return Kinship(
        Labels(
            frozenset(active), Lineage.since(steps(*made), THEN + timedelta(days=taught, hours=1))
        ),
        Labels(frozenset(candidate)),
        frozenset(candidate),
    )


def test_a_code_is_read_by_the_steps_made_after_its_time() -> None:
    made = steps(("a", ["b"]), ("b", ["b", "c"]), ("a", ["d"]))
    assert Lineage.since(made, THEN).now("a") == {"b", "c"}
    assert Lineage.since(made, None).now("a") == {"b", "c"}
    later = Lineage.since(made, THEN + timedelta(days=2))
    assert (later.now("a"), later.now("b")) == ({"d"}, {"b"})


def test_swapped_codes_are_followed_one_after_the_other() -> None:
    swapped = steps(("a", ["x"]), ("b", ["a"]), ("x", ["b"]))
    before = Lineage.since(swapped, THEN)
    assert (before.now("a"), before.now("b")) == ({"b"}, {"a"})
    after = Lineage.since(swapped, THEN + timedelta(days=3))
    assert (after.now("a"), after.now("b")) == ({"a"}, {"b"})


def test_a_given_up_code_that_is_in_use_again_is_not_taken_for_the_other() -> None:
    kin = kinship({"a", "b"}, {"a", "b"}, ("a", ["b"]), taught=1)
    assert kin.right("b") == ({"b"}, {"b"})
    assert kin.right("a") == ({"a"}, {"a"})
    assert not kin.active.may_be("a", frozenset("b"))
    assert not kin.candidate.may_be("a", frozenset("b"))


def test_a_candidate_is_not_right_by_the_code_of_a_merger_before_it() -> None:
    kin = kinship({"a", "b"}, {"a", "b"}, ("a", ["b"]))
    assert kin.right("b") == ({"a", "b"}, {"b"})


def test_a_new_intent_with_a_former_code_is_not_the_one_that_the_active_model_knew() -> None:
    kin = kinship({"a", "x"}, {"a", "b", "x"}, ("a", ["b"]))
    assert kin.right("b") == ({"a"}, {"b"})
    assert kin.is_new("a")
    assert (kin.active.name("a"), kin.candidate.name("a")) == ("b", "a")
    assert kin.today(Labelled("一", "a"), {"a"}).intent == "b"  # somebody changed his mind
    assert kin.today(Labelled("一", "a"), {"b"}).intent == "b"


def test_a_renamed_intent_is_compared_under_both_codes() -> None:
    kin = kinship({"a", "x"}, {"b", "x"}, ("a", ["b"]))
    assert kin.right("b") == ({"a"}, {"b"})
    assert kin.is_known("b")
    assert not kin.is_missing("b")


def test_a_merged_intent_is_right_under_either_old_code() -> None:
    kin = kinship({"a", "b"}, {"b"}, ("a", ["b"]))
    assert kin.right("b") == ({"a", "b"}, {"b"})


def test_parts_of_a_split_intent_are_compared_as_the_whole_that_was_known() -> None:
    kin = kinship({"a"}, {"a", "b"}, ("a", ["a", "b"]))
    assert kin.right("b") == ({"a"}, {"a", "b"})
    assert kin.right("a") == ({"a"}, {"a"})


def test_once_both_models_know_the_parts_they_are_told_apart() -> None:
    kin = kinship({"a", "b"}, {"a", "b"}, ("a", ["a", "b"]), taught=1)
    assert kin.right("b") == ({"b"}, {"b"})


def test_an_intent_that_the_candidate_lacks_is_missing_and_a_new_one_is_not_known() -> None:
    kin = Kinship(
        Labels(frozenset({"a", "gone", "off"})),
        Labels(frozenset({"a", "new"})),
        frozenset({"a", "gone", "new"}),
    )
    assert [one for one in ("a", "gone", "off", "new") if kin.is_missing(one)] == ["gone"]
    assert not kin.is_known("new")


def test_a_sentence_that_went_to_a_split_off_part_was_not_relabelled() -> None:
    kin = kinship({"a"}, {"a", "b"}, ("a", ["a", "b"]))
    assert kin.today(Labelled("一", "a"), {"b"}).intent == "b"
    later = kinship({"a", "b"}, {"a", "b"}, ("a", ["a", "b"]), taught=1)
    assert later.today(Labelled("一", "a"), {"b"}).intent == "a"
