"""Texts that mean none of the intents, and how many of them each model takes for one."""

from collections.abc import Sequence

from training.gate.evidence import Evidence
from training.gate.kinship import Kinship
from training.gate.limits import ROUNDING, WHOLE_RISK
from training.gate.readings import Answer, Contender
from training.gate.statistics import Paired, holm, paired
from training.gate.verdict import Measured, Reason

WRITTEN, SET_ASIDE = "accepts_more", "accepts_again"


def compare(
    evidence: Evidence,
    active: Contender | None,
    candidate: Contender,
    kinship: Kinship,
    loss_max: float,
) -> tuple[dict[str, Measured], list[Reason]]:
    """Compare how many texts that mean none of the intents are taken for one.

    Args:
        loss_max: How much larger the candidate's share may become, 0 to 1.

    Returns:
        Shares of the texts written for this (`WRITTEN`), and of those that reviewers set aside
        (`SET_ASIDE`): customers write them, nearer to what the bot knows. Either may fall, so
        each is looked at. And why the candidate is refused.
    """
    shares: dict[str, Measured] = {}
    compared: dict[str, Paired] = {}
    for kind, texts in ((WRITTEN, evidence.out_of_scope), (SET_ASIDE, evidence.set_aside)):
        answers = candidate.read(texts)
        if kind == SET_ASIDE and active is not None:
            texts, answers = _without_new(texts, answers, kinship)
        if not texts:
            continue
        after = [_is_kept_out(each) for each in answers]
        accepted = 1 - sum(after) / len(after)
        if active is None:
            shares[kind] = Measured(None, accepted)
            continue
        before = [_is_kept_out(each) for each in active.read(texts)]
        compared[kind] = paired(before, after)
        shares[kind] = Measured(1 - sum(before) / len(before), accepted)
    corrected = holm({kind: result.p_worse for kind, result in compared.items()})
    reasons = [
        Reason(
            kind,
            {
                "active": shares[kind].active,
                "candidate": shares[kind].candidate,
                "texts": result.texts,
            },
        )
        for kind, result in compared.items()
        if result.loss >= loss_max - ROUNDING and corrected[kind] <= WHOLE_RISK / 2
    ]
    return shares, reasons


def _without_new(
    texts: Sequence[str], answers: Sequence[Answer], kinship: Kinship
) -> tuple[list[str], list[Answer]]:
    """Leave out what the candidate takes for an intent that the active model does not know.

    When reviewers set it aside, there was no such intent: it may be what the intent is for.
    """
    kept = [
        (text, answer)
        for text, answer in zip(texts, answers, strict=True)
        if _is_kept_out(answer) or kinship.is_known(kinship.candidate.name(answer.intent))
    ]
    return [text for text, _ in kept], [answer for _, answer in kept]


def _is_kept_out(answer: Answer) -> bool:
    return answer.out_of_scope >= 0.5
