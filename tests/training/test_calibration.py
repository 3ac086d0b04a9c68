"""The fitted mixture: sure when it may be, humble when it must be."""

import numpy as np

from training.calibration import fit_mixture

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
