"""Out of scope: on clouds of points whose truth is known by construction."""

import numpy as np
import pytest

from intents.inference import scope as scope_module
from intents.inference.scope import Neighbourhood, Novelty, Scope, Seen

WIDTH, INTENTS, EACH = 24, 12, 30


def cloud(seed: int, *, intents: int = INTENTS, each: int = EACH) -> tuple:
    """Points around means that are themselves random; the same seed gives the same means."""
    means = np.random.default_rng(7).normal(size=(40, WIDTH))
    random = np.random.default_rng(seed)
    targets = np.repeat(np.arange(intents), each)
    points = means[targets] + 0.7 * random.normal(size=(len(targets), WIDTH))
    return points.astype(np.float32), targets


def strangers(seed: int, count: int = 300) -> np.ndarray:
    """Points around other means than those of the first twelve intents."""
    points, targets = cloud(seed, intents=40, each=count // 28 + 1)
    return points[targets >= INTENTS][:count]


def auroc(higher: np.ndarray, lower: np.ndarray) -> float:
    return float((higher[:, None] > lower[None, :]).mean())


def seen(points: np.ndarray) -> Seen:
    """As a light head and a network see them that read the points as they are.

    The classifier is as sure of everything.
    """
    sure = np.full((len(points), INTENTS), 1 / INTENTS, np.float32)
    return Seen(points, points[:, :INTENTS], points * 2, sure)


class TestNovelty:
    def test_tells_texts_of_known_intents_from_those_of_new_ones(self):
        points, targets = cloud(1)
        novelty = Novelty.fit(points, targets)

        assert auroc(novelty.scores(cloud(2)[0]), novelty.scores(strangers(2))) > 0.9

    def test_is_a_log_likelihood_ratio(self):
        """By the closed form, of one intent whose examples are all alike, by hand."""
        novelty = Novelty(
            centre=np.zeros(1, np.float32),
            turn=np.eye(1, dtype=np.float32),
            means=np.array([[2.0]], np.float32),
            precisions=np.array([[0.5]], np.float32),
            offsets=np.array([-0.5 * np.log(2.0)], np.float32),
            between=np.array([3.0], np.float32),
        )

        known = -0.5 * (np.log(2.0) + (1.0 - 2.0) ** 2 / 2.0)
        new = -0.5 * (np.log(4.0) + 1.0**2 / 4.0)
        assert novelty.scores(np.array([[1.0]], np.float32))[0] == pytest.approx(known - new)

    def test_an_intent_with_few_examples_is_less_certain(self):
        points, targets = cloud(1)
        few = np.concatenate([np.flatnonzero(targets == 0)[:2], np.flatnonzero(targets > 0)])
        own = cloud(2)[0][:EACH]

        many_score = Novelty.fit(points, targets).scores(own).mean()
        few_score = Novelty.fit(points[few], targets[few]).scores(own).mean()

        assert few_score < many_score

    def test_one_example_an_intent_is_enough_to_be_asked(self):
        points, targets = cloud(1, each=1)

        assert np.isfinite(Novelty.fit(points, targets).scores(strangers(2))).all()


class TestNeighbourhood:
    def test_tells_texts_of_known_intents_from_those_of_new_ones(self):
        near = Neighbourhood.fit(cloud(1)[0])

        assert auroc(near.scores(cloud(2)[0]), near.scores(strangers(2))) > 0.9

    def test_is_a_difference_of_cosines(self):
        """By hand: two at right angles, and one in their midst."""
        right = np.float32(np.sqrt(0.5))
        near = Neighbourhood.fit(np.array([[2, 0], [0, 3]], np.float32))

        assert near.densities == pytest.approx([0, 0])
        assert near.scores(np.array([[1, 1]], np.float32))[0] == pytest.approx(right)

    def test_is_the_same_however_many_rows_are_compared_at_once(self, monkeypatch):
        points = cloud(1)[0]
        whole = Neighbourhood.fit(points).densities

        monkeypatch.setattr(scope_module, "_ROWS", 7)

        assert Neighbourhood.fit(points).densities == pytest.approx(whole, abs=1e-6)


@pytest.fixture(scope="module")
def scope() -> Scope:
    points, targets = cloud(1)
    return Scope.fit(seen(points), targets, held_out=seen(cloud(3, each=8)[0]))


class TestScope:
    def ask(self, scope: Scope, points: np.ndarray) -> np.ndarray:
        return scope.out_of_scope(seen(points))

    def test_is_a_probability_that_is_high_for_strangers_only(self, scope: Scope):
        own, foreign = self.ask(scope, cloud(2)[0]), self.ask(scope, strangers(2))

        assert min(own.min(), foreign.min()) >= 0
        assert max(own.max(), foreign.max()) <= 1
        assert auroc(foreign, own) > 0.9
        assert own.mean() < 0.25 < 0.5 < foreign.mean()

    def test_does_not_depend_on_what_else_is_in_the_batch(self, scope: Scope):
        points = strangers(2, 10)

        together = self.ask(scope, points)
        alone = np.concatenate([self.ask(scope, point[None]) for point in points])

        assert together == pytest.approx(alone, abs=1e-5)

    def test_survives_its_file(self, scope: Scope, tmp_path):
        scope.save(tmp_path / "scope.npz")

        loaded = Scope.load(tmp_path / "scope.npz")

        points = strangers(2, 50)
        assert self.ask(loaded, points) == pytest.approx(self.ask(scope, points), abs=2e-3)

    def test_refuses_to_guess_without_what_it_was_fitted_with(self, scope: Scope):
        points = strangers(2, 3)

        with pytest.raises(ValueError, match="features"):
            scope.out_of_scope(Seen(points, points[:, :INTENTS]))
        with pytest.raises(ValueError, match="light head"):
            scope.out_of_scope(Seen(points, None, points))
        with pytest.raises(ValueError, match="probabilities"):
            scope.out_of_scope(Seen(points, points[:, :INTENTS], points))

    def test_no_texts_give_no_answers(self, scope: Scope):
        assert self.ask(scope, np.zeros((0, WIDTH), np.float32)).shape == (0,)


class TestOfExamples:
    def test_tells_strangers_without_any_model(self):
        points, targets = cloud(1)
        scope = Scope.of_examples(points, [f"i{target}" for target in targets], [""] * len(points))

        assert scope is not None
        own, foreign = (scope.out_of_scope(Seen(each)) for each in (cloud(2)[0], strangers(2)))
        assert auroc(foreign, own) > 0.9

    @pytest.mark.parametrize(
        ("intents", "families"),
        [(["a"] * 10, [""] * 10), (["a", "b"], ["", ""]), (["a", "a", "b", "b"], list("xxyy"))],
    )
    def test_is_none_where_nothing_can_be_held_out(self, intents, families):
        points = strangers(1, len(intents))

        assert Scope.of_examples(points, intents, families) is None
