"""Model directories and the pointer: whole or refused, old or new, never half."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intents.inference import artifacts
from intents.inference.artifacts import BrokenArtifact, Manifest

MANIFEST = Manifest(
    version="v1",
    encoder="e5",
    labels=("b", "a"),
    max_tokens=64,
    created_at="2026-11-22T10:00:00+00:00",
    seconds=1.5,
    network_weight=0.5,
    light_weight=0.25,
    seen=frozenset({artifacts.key_hash("退货")}),
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / artifacts.CLASSIFIER).write_bytes(b"graph")
    (tmp_path / "v1" / artifacts.TOKENIZER).write_bytes(b"{}")
    artifacts.write_manifest(tmp_path / "v1", MANIFEST)
    return tmp_path / "v1"


@pytest.fixture(autouse=True)
def model_dir(settings, tmp_path) -> Path:
    settings.MODEL_DIR = tmp_path
    return tmp_path


class TestManifest:
    def test_comes_back_as_it_was_written_with_the_hash_of_each_file(self, model):
        read = artifacts.load_manifest(model)

        assert replace(read, files={}) == MANIFEST
        assert set(read.files) == {"classifier.onnx", "tokenizer.json"}
        assert read.temperature == 2.0

    def test_says_when_its_data_were_read_as_exactly_as_it_knows(self):
        made = datetime(2026, 11, 22, 10, tzinfo=UTC)
        assert MANIFEST.taught_at == made - timedelta(minutes=30, seconds=1.5)
        read = replace(MANIFEST, data={"read_at": "2026-11-22T09:59:30+00:00"})
        assert read.taught_at == made - timedelta(seconds=40)

    def test_names_utterances_without_repeating_them(self, model):
        assert "退货" not in (model / "manifest.json").read_text(encoding="utf-8")

    def test_of_another_format_asks_for_a_new_training(self, model):
        content = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
        (model / "manifest.json").write_text(json.dumps(content | {"format": 99}))

        with pytest.raises(BrokenArtifact, match="train the model again"):
            artifacts.load_manifest(model)

    @pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', "\udcff"])
    def test_that_cannot_be_read_is_refused(self, model, content):
        (model / "manifest.json").write_bytes(content.encode("utf-8", "surrogateescape"))

        with pytest.raises(BrokenArtifact):
            artifacts.load_manifest(model)


class TestVerify:
    def test_accepts_what_was_written(self, model):
        assert artifacts.verify(model).version == "v1"

    @pytest.mark.parametrize("name", ["classifier.onnx", "tokenizer.json"])
    def test_refuses_a_changed_file(self, model, name):
        (model / name).write_bytes(b"changed")

        with pytest.raises(BrokenArtifact, match=name):
            artifacts.verify(model)

    @pytest.mark.parametrize("name", ["classifier.onnx", "tokenizer.json", "manifest.json"])
    def test_refuses_a_missing_file(self, model, name):
        (model / name).unlink()

        with pytest.raises(BrokenArtifact, match=name):
            artifacts.verify(model)

    def test_refuses_a_manifest_that_names_files_elsewhere(self, model):
        content = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
        content["files"]["../v1/classifier.onnx"] = content["files"]["classifier.onnx"]
        (model / "manifest.json").write_text(json.dumps(content))

        with pytest.raises(BrokenArtifact):
            artifacts.verify(model)


class TestPointer:
    def test_names_the_version_that_it_was_pointed_to(self):
        artifacts.point_to("v1")

        assert artifacts.active_version() == "v1"

    def test_can_be_taken_back(self):
        artifacts.point_to("v1")

        artifacts.point_to(None)

        assert artifacts.active_version() is None

    @pytest.mark.parametrize(
        "content", ["", "{", "[]", "null", '{"version": 7}', '{"version": "../etc"}', "\udcff"]
    )
    def test_that_is_broken_names_nothing(self, model_dir, content):
        (model_dir / "active.json").write_bytes(content.encode("utf-8", "surrogateescape"))

        assert artifacts.active_version() is None

    def test_missing_directory_is_no_model(self, settings, tmp_path):
        settings.MODEL_DIR = tmp_path / "nowhere"

        assert artifacts.active_version() is None

    @pytest.mark.parametrize("name", ["", "..", "../v1", "a/b", "/etc", ".hidden", "v" * 65])
    def test_only_plain_names_can_be_pointed_to(self, name):
        with pytest.raises(ValueError, match="cannot be the name"):
            artifacts.point_to(name)

    def test_readers_see_old_or_new_while_it_moves(self, model_dir):
        artifacts.point_to("v1")
        seen, done = set(), threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.add(artifacts.active_version())

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(200):
            artifacts.point_to(f"v{number % 2 + 1}")
        done.set()
        for reader in readers:
            reader.join()

        assert seen == {"v1", "v2"}
        assert [path.name for path in model_dir.iterdir()] == ["active.json"]
