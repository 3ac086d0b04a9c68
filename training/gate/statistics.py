"""Paired comparisons of two models on the same texts, and how sure one may be of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Paired:
    """How two models did on the same texts."""

    texts: int
    active_right: int
    candidate_right: int
    lost: int  # right before, wrong now
    won: int  # wrong before, right now

    @property
    def loss(self) -> float:
        """By how much the share of right texts fell; negative where it rose, 0 without texts."""
        return (self.lost - self.won) / self.texts if self.texts else 0.0

    @property
    def p_worse(self) -> float:
        """One-sided McNemar mid-p value: how likely as many losses are by chance alone.

        Source: Fagerland, Lydersen, Laake, "The McNemar test for binary matched-pairs data",
        BMC Medical Research Methodology 2013: exact, but less conservative than the exact test.
        """
        changed = self.lost + self.won
        # Twice the sum, in whole numbers: half the coefficient of what was lost, and those beyond.
        coefficient = math.comb(changed, self.lost)
        twice = coefficient
        for lost in range(self.lost + 1, changed + 1):
            coefficient = coefficient * (changed - lost + 1) // lost
            twice += 2 * coefficient
        return twice / 2 ** (changed + 1) if changed else 1.0

    def worst_loss(self, confidence: float) -> float:
        """Return the loss that is not exceeded with this one-sided confidence.

        Source: Agresti, Min, "Simple improved confidence intervals for comparing matched
        proportions", Statistics in Medicine 2005: half a text is added to each kind of pair.
        """
        texts = self.texts + 2
        mean = (self.lost - self.won) / texts
        variance = ((self.lost + self.won + 1) / texts - mean**2) / texts
        return float(mean + _NORMAL.inv_cdf(confidence) * math.sqrt(max(variance, 0.0)))

    def texts_to_exclude(self, loss: float, confidence: float) -> int:
        """Return how many texts it takes to say that the loss is below `loss`; 0: no number helps.

        Reckoned with the shares of changed texts that these show.
        """
        room = loss - max(self.loss, 0.0)
        if room <= 0:
            return 0
        changed = (self.lost + self.won + 1) / (self.texts + 2)
        return math.ceil(changed * (_NORMAL.inv_cdf(confidence) / room) ** 2)

    def texts_to_show(self, level: float) -> int:
        """Return how many texts it takes until a loss like this has a p value of `level`; 0: none does."""
        if self.loss <= 0:
            return 0
        changed = (self.lost + self.won) / self.texts
        return math.ceil(changed * (_NORMAL.inv_cdf(level) / self.loss) ** 2)

    def __add__(self, other: "Paired") -> "Paired":
        return Paired(
            self.texts + other.texts,
            self.active_right + other.active_right,
            self.candidate_right + other.candidate_right,
            self.lost + other.lost,
            self.won + other.won,
        )


NO_TEXTS = Paired(0, 0, 0, 0, 0)


def paired(active_right: list[bool], candidate_right: list[bool]) -> Paired:
    """Count; both lists are of the same texts."""
    pairs = list(zip(active_right, candidate_right, strict=True))
    return Paired(
        texts=len(pairs),
        active_right=sum(active_right),
        candidate_right=sum(candidate_right),
        lost=sum(1 for before, after in pairs if before and not after),
        won=sum(1 for before, after in pairs if after and not before),
    )


def wilson(right: int, texts: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided interval of a share; (0, 1) without texts.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 1927.
    """
    if not texts:
        return 0.0, 1.0
    share, deviations = right / texts, _NORMAL.inv_cdf((1 + confidence) / 2)
    pull = deviations**2 / texts
    centre = (share + pull / 2) / (1 + pull)
    half = deviations * math.sqrt(share * (1 - share) / texts + pull / texts / 4) / (1 + pull)
    # At both ends exactly: rounding would leave the share outside.
    return (centre - half if right else 0.0), (centre + half if right < texts else 1.0)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p values corrected for how many are looked at, so that any one may be acted on.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    corrected: dict[str, float] = {}
    largest = 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}
