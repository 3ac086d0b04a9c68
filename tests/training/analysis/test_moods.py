from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from intents.inference import FrozenEncoder, mood
from intents.inference.base import Floats
from intents.inference.mood import Heads
from training.analysis import sentiment
from training.analysis.sentiment.starter import Row, compose
from training.datasets import BadDataset


class Letters:
    """Vectors of which letters a text has."""

    def __init__(self) -> None:
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> Floats:
        self.texts += len(texts)
        vectors = np.full((len(texts), 64), 0.01, np.float32)
        for row, text in enumerate(texts):
            for character in text:
                vectors[row, ord(character) % 64] += 1
        scaled: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return scaled


@pytest.fixture
def encoder() -> FrozenEncoder:
    return FrozenEncoder("letters", Letters())


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, settings: object) -> Iterator[None]:
    settings.MODEL_DIR = tmp_path / "models"  # type: ignore[attr-defined]
    return


_CSV = "text,label,topic\n" + "".join(
    f"{text}{number},{label},t{number}\n"
    for number in range(6)
    for text, label in (("太差了", "negative"), ("我要查订单", "neutral"), ("很满意", "positive"))
)


@pytest.fixture
def own_csv(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text(_CSV, encoding="utf-8")
    return path


def test_the_head_tells_what_it_was_taught(encoder: FrozenEncoder, own_csv: Path) -> None:
    head = sentiment.train(sentiment.read_rows(own_csv), encoder)

    bad, plain, good = mood.read(head, encoder, ["太差了", "我要查订单", "很满意"])

    assert bad.score < plain.score < good.score
    for each in (bad, plain, good):
        assert each.score == pytest.approx(each.positive - each.negative)
        assert each.positive + each.negative <= 1 + 1e-6


def test_words_count_by_how_unlike_the_moods_have_them(encoder: FrozenEncoder) -> None:
    texts = ["快递差", "快递慢", "快递差", "快递好", "快递快", "快递好"] * 4
    labels = ["negative"] * 3 + ["positive"] * 3
    vectors = encoder.embedder.embed(texts)

    head = sentiment.fit(texts, vectors, labels * 4, [str(at) for at in range(len(texts))])

    weight = dict(zip(head.tfidf.columns, head.tfidf.idf, strict=True))
    assert weight["差"] > weight["慢"] > weight["快递"]


def test_a_head_is_built_once(encoder: FrozenEncoder, own_csv: Path) -> None:
    path = sentiment.ensure(encoder, own_csv)
    written = path.stat().st_mtime_ns

    assert sentiment.ensure(encoder, own_csv) == path
    assert path.stat().st_mtime_ns == written


def test_the_shipped_sentences_do_not_replace_a_shops_own(
    encoder: FrozenEncoder, own_csv: Path
) -> None:
    path = sentiment.ensure(encoder, own_csv)
    written = path.stat().st_mtime_ns

    sentiment.ensure(encoder)

    assert path.stat().st_mtime_ns == written


def test_a_new_head_is_taken_over_and_a_broken_one_tells_nothing(
    encoder: FrozenEncoder, own_csv: Path
) -> None:
    heads = Heads()
    assert heads.of("letters") is None

    path = sentiment.ensure(encoder, own_csv)
    assert heads.of("letters") is not None

    path.write_bytes(b"no zip")
    assert heads.of("letters") is None


def test_rows_of_another_label_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("text,label\n不错,great\n", encoding="utf-8")

    with translation.override("en"), pytest.raises(BadDataset, match="line 2"):
        sentiment.read_rows(path)
    with pytest.raises(CommandError):
        call_command("train_moods", str(tmp_path / "missing.csv"))


def test_what_ships_is_varied_and_labelled_once() -> None:
    rows = sentiment.read_rows()

    assert len({row.text for row in rows}) == len(rows) > 700
    assert {row.language for row in rows} == {"zh", "en"}


def test_composed_texts_are_the_same_each_time() -> None:
    rows = sentiment.read_rows()

    assert compose(rows, 50) == compose(rows, 50)
    assert compose([Row("嗯", "neutral", topic="facts")], 5) == []
