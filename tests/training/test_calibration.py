"""The fitted mixture: sure when it may be, humble when it must be."""

import numpy as np
import pytest

from training.calibration import fit_mixture, held_out_auroc
from training.evaluate import calibration_error, simulated_calibration_error

INTENTS = 5


def logits_right_in(share: float, count: int, *, seed: int, sure: float = 10.0) -> tuple:
    """Logits that always claim near-certainty and are right in `share` of the rows."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, INTENTS, count)
    wrong = rng.random(count) >= share
    claimed = np.where(wrong, (targets + rng.integers(1, INTENTS, count)) % INTENTS, targets)
    logits = rng.normal(size=(count, INTENTS)) + sure * np.eye(INTENTS)[claimed]
    return logits.astype(np.float32), targets


def test_overconfident_network_is_flattened_to_how_often_it_is_right():
    logits, targets = logits_right_in(0.7, 2000, seed=0)

    mixture = fit_mixture(logits, None, targets)

    confidence = mixture.probabilities(logits, None).max(axis=1).mean()
    assert abs(confidence - 0.7) < 0.03
    assert mixture.light == 0


def test_light_head_that_knows_more_gets_the_greater_weight():
    rng = np.random.default_rng(1)
    targets = rng.integers(0, INTENTS, 500)
    good = (rng.normal(size=(500, INTENTS)) + 3 * np.eye(INTENTS)[targets]).astype(np.float32)
    noise = rng.normal(size=(500, INTENTS)).astype(np.float32)

    mixture = fit_mixture(noise, good, targets)

    assert mixture.light > 5 * mixture.network


def test_light_head_that_adds_nothing_is_left_out():
    logits, targets = logits_right_in(0.8, 1000, seed=2)
    noise = np.random.default_rng(3).normal(size=logits.shape).astype(np.float32)

    assert fit_mixture(logits, noise, targets).light == 0


def test_one_held_out_text_moves_the_weights_only_a_little():
    network = np.array([[3.0, 0.0]], np.float32)

    wrong = fit_mixture(network, None, np.array([1]))

    assert 0.3 < wrong.network < 1.0


class TestHeldOutIntents:
    def clouds(self, seed: int, intents: int, apart: float) -> tuple:
        means = np.random.default_rng(3).normal(size=(intents, 16)) * apart
        targets = np.repeat(np.arange(intents), 20)
        noise = np.random.default_rng(seed).normal(size=(len(targets), 16))
        return (means[targets] + noise).astype(np.float32), targets

    def test_are_told_when_intents_lie_apart_and_not_when_they_do_not(self):
        apart = held_out_auroc(*self.clouds(1, 16, 2.0), *self.clouds(2, 16, 2.0))
        mixed = held_out_auroc(*self.clouds(1, 16, 0.0), *self.clouds(2, 16, 0.0))

        assert apart > 0.9
        assert mixed == pytest.approx(0.5, abs=0.1)

    def test_too_few_intents_say_nothing(self):
        assert held_out_auroc(*self.clouds(1, 7, 2.0), *self.clouds(2, 7, 2.0)) is None


def test_the_error_of_a_perfectly_calibrated_model_is_not_nothing_and_shrinks_with_texts():
    confidence = np.random.default_rng(0).uniform(0.3, 1.0, 4000)

    few, many = (
        simulated_calibration_error(confidence[:200]),
        simulated_calibration_error(confidence),
    )

    assert few > many > 0
    right = np.random.default_rng(1).random(4000) < confidence
    assert calibration_error(confidence, right) == pytest.approx(many, abs=0.01)
