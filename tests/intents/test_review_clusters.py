"""Sentences that mean the same are put together, and a cluster stays what it was."""

import random
from datetime import datetime, timedelta

import numpy as np
import pytest

from intents.inference.base import FrozenEncoder
from intents.models import Embedding, ReviewCluster, ReviewItem, ReviewProgress, Utterance
from intents.review import clusters, grouping
from tests.factories import IntentFactory
from tests.intents.models_of_tests import LetterEmbedder
from tests.intents.test_review_inbox import item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _other_sentences() -> None:
    """Utterances of all kinds, whose mean is what sentences have in common."""
    dice, intent = random.Random(3), IntentFactory()
    letters = (
        "的我是不了一在有你这个到人要么就好都能可以说没什时后上来去吗会还把给下单货件款物流快递"
    )
    for number in range(220):
        text = "".join(dice.choices(letters, k=8)) + str(number)
        Utterance.objects.create(intent=intent, text=text, key=text, language="zh")


PAYING = ("能货到付款吗", "货到付款可以吗", "可以货到付款吗")
SHOPS = ("有线下门店吗", "线下门店在哪", "有没有线下门店")
WEATHER = "今天天气怎么样啊"


class Encoder:
    """A frozen encoder for tests that counts what it embeds."""

    def __init__(self) -> None:
        self.embedder = LetterEmbedder()

    def __call__(self) -> FrozenEncoder:
        return FrozenEncoder("letters", self.embedder)


def groups() -> list[set[str]]:
    found = [
        set(ReviewItem.objects.filter(cluster=one).values_list("text", flat=True))
        for one in ReviewCluster.objects.order_by("pk")
    ]
    return sorted(found, key=lambda texts: (-len(texts), min(texts)))


class TestClustering:
    def test_what_is_alike_is_one_cluster_with_its_figures(self, now: datetime):
        for text in (*PAYING, *SHOPS, WEATHER):
            item(text, now, messages=4, handed_over=1, priority=10)
        assert clusters.cluster(now=now, encoder=Encoder()) == 7

        assert sorted(map(len, groups()), reverse=True) == [3, 3, 1]
        assert set(PAYING) in groups()
        assert set(SHOPS) in groups()
        paying = ReviewItem.objects.get(text=PAYING[0]).cluster
        assert (paying.open_items, paying.messages, paying.handed_over, paying.priority) == (
            3,
            12,
            3,
            30,
        )
        assert set(clusters.typical([paying.pk])[paying.pk]) == set(PAYING)

    def test_new_sentences_join_and_the_cluster_keeps_its_key(self, now: datetime):
        for text in (*PAYING[:2], *SHOPS, WEATHER):
            item(text, now)
        clusters.cluster(now=now, encoder=Encoder())
        before = ReviewItem.objects.get(text=PAYING[0]).cluster_id
        item(PAYING[2], now)
        assert clusters.cluster(now=now, encoder=Encoder()) == 1
        assert ReviewItem.objects.get(text=PAYING[2]).cluster_id == before
        assert ReviewCluster.objects.get(pk=before).open_items == 3

    def test_vectors_are_kept_and_nothing_is_embedded_twice(self, now: datetime):
        encoder = Encoder()
        for text in SHOPS:
            item(text, now)
        clusters.cluster(now=now, encoder=encoder)
        ReviewItem.objects.update(cluster=None)
        clusters.cluster(now=now, encoder=encoder)
        assert sorted(set(encoder.embedder.embedded)) == sorted(encoder.embedder.embedded)
        assert Embedding.objects.count() == len(encoder.embedder.embedded)

    def test_nothing_new_loads_no_encoder(self, now: datetime):
        def never() -> FrozenEncoder:
            raise AssertionError

        assert clusters.cluster(now=now, encoder=never) == 0

    def test_one_process_at_a_time_and_one_that_died_is_not_waited_for(self, now: datetime):
        item(WEATHER, now)
        ReviewProgress.objects.create(pk=1, clustering_until=now + timedelta(minutes=5))
        assert clusters.cluster(now=now, encoder=Encoder()) == 0
        assert clusters.cluster(now=now + timedelta(minutes=6), encoder=Encoder()) == 1

    def test_a_failure_lets_the_next_run_begin(self, now: datetime):
        def broken() -> FrozenEncoder:
            raise OSError("no encoder")

        item(WEATHER, now)
        with pytest.raises(OSError, match="no encoder"):
            clusters.cluster(now=now, encoder=broken)
        assert clusters.cluster(now=now, encoder=Encoder()) == 1

    def test_clusters_that_have_grown_into_one_are_joined_under_the_larger_key(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        for text in (*PAYING, *SHOPS, WEATHER):
            item(text, now)
        monkeypatch.setattr(grouping, "ALIKE", 0.9999)
        monkeypatch.setattr(grouping, "_ONE_CLUSTER", 2.0)
        clusters.cluster(now=now, encoder=Encoder())
        before = ReviewCluster.objects.count()
        monkeypatch.undo()
        monkeypatch.setattr(grouping, "_ONE_CLUSTER", 0.3)
        item("可以货到付款", now)
        clusters.cluster(now=now, encoder=Encoder())
        assert ReviewCluster.objects.count() < before
        assert sum(ReviewCluster.objects.values_list("open_items", flat=True)) == 8
        assert not ReviewItem.objects.filter(cluster=None).exists()


class TestGrouping:
    def test_the_larger_group_stays_of_equals_the_earlier(self):
        middles = np.array([[1, 0], [1, 0.01], [0, 1]], np.float32)
        assert grouping.merges(middles, [1, 5, 1]) == [(0, 1)]
        assert grouping.merges(middles, [2, 2, 1]) == [(1, 0)]

    def test_one_sentence_is_a_group(self):
        assert grouping.groups(np.ones((1, 3), np.float32)) == [[0]]
        assert grouping.groups(np.ones((0, 3), np.float32)) == []
