"""Models on a server: our own and a real Triton answer as a local model does, and may go away."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from intents import encoder
from intents.inference import artifacts, loading
from intents.inference.backends import open_backend
from intents.inference.backends.remote import Remote, RemoteUnavailable, remote_name
from intents.inference.engine import Engine
from intents.inference.follower import Sources
from intents.inference.onnx import OnnxClassifier
from tests.intents.backend_contract import Network, batch, keeps_the_contract, write_network
from tests.intents.inference_servers import OwnServer, Server, Triton
from tests.intents.models_of_tests import SENTENCES, eventually, write_content
from tests.training.encoders import write_bert

pytestmark = pytest.mark.model

LABELS = (*SENTENCES, "refund", "address")
TEXTS = ["我的快递到哪了", "怎么开发票", "退", "where is my order", "优惠券怎么用" * 9]


@dataclass(frozen=True)
class Place:
    """Models on disk, and what serves them."""

    models: Path
    network: Network
    encoder: Path
    cache: Path

    def write_version(self, version: str) -> Path:
        """Write a model directory that holds the network; return its graph."""
        folder = self.models / version
        folder.mkdir(parents=True)
        base = encoder.ensure()
        shutil.copyfile(self.network.fp32, folder / artifacts.CLASSIFIER)
        shutil.copyfile(base.tokenizer, folder / artifacts.TOKENIZER)
        artifacts.write_manifest(
            folder,
            artifacts.Manifest(
                version=version, encoder=base.id, labels=LABELS, max_tokens=64, created_at="",
                seconds=0.0, network_weight=1.0, light_weight=0.0,
            ),
        )  # fmt: skip
        return folder / artifacts.CLASSIFIER

    def environment(self) -> dict[str, str]:
        return {
            "MODEL_DIR": str(self.models),
            "INTENT_ENCODER": str(self.encoder),
            "ENCODER_CACHE_DIR": str(self.cache),
        }


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Place:
    root = tmp_path_factory.mktemp("served")
    bert = write_bert(root / "bert", layers=2, hidden=32, heads=2)
    return Place(root / "models", write_network(root / "network"), bert, root / "cache")


@pytest.fixture
def place(files, settings) -> Place:
    settings.MODEL_DIR, settings.INTENT_ENCODER = files.models, str(files.encoder)
    settings.ENCODER_CACHE_DIR = files.cache
    if not (files.models / "v1").exists():
        files.write_version("v1")
    artifacts.point_to("v1")
    return files


@pytest.fixture(scope="module", params=["own", "triton"])
def running(request, files, tmp_path_factory) -> Iterator[Server]:
    """Either server, with the encoder and version v1."""
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "own":
        found: Server = OwnServer(directory, **files.environment())
    else:
        found = Triton(directory / "repository", directory)
    found.directory = directory
    yield found
    if found.is_running:
        found.stop()


@pytest.fixture
def server(running, place) -> Server:
    if not running.is_running:
        if isinstance(running, Triton):
            call_command("export_triton", running.directory / "repository", "--python-backend")
        running.start()
    return running


def opened(server: Server, version: str = "v1", **options: Any) -> Remote:
    graph = Path(version) / artifacts.CLASSIFIER
    return Remote(server.url, remote_name(graph), **{"timeout_s": 5.0, **options})


def test_it_keeps_the_contract_of_all_backends(server, place):
    backend = opened(server)

    keeps_the_contract(backend, place.network, within=1e-3)
    backend.close()


def test_probabilities_are_those_of_the_local_model(server, place, settings):
    local = OnnxClassifier(place.models / "v1").read(TEXTS)

    settings.INFERENCE_URL, settings.INFERENCE_TIMEOUT_S = server.url, 5.0
    frozen = loading.frozen_encoder()
    remote = loading.trained_model("v1", frozen).classifier.read(TEXTS)

    assert np.abs(remote.probabilities - local.probabilities).max() < 1e-4
    # int8: how far the numbers are apart depends on what shares the batch.
    assert (remote.vectors * local.vectors).sum(axis=1).min() > 0.99


def test_callers_of_several_processes_share_batches(server):
    model = remote_name(Path("v1") / artifacts.CLASSIFIER)
    clients = [opened(server) for _ in range(8)]
    before = server.texts_and_batches(model)
    go = threading.Barrier(len(clients))

    def ask(client: Remote) -> None:
        go.wait(20)
        for number in range(40):
            client.run(*batch([64], seed=number), ["logits"])

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    def told() -> tuple[int, int]:
        now = server.texts_and_batches(model)
        return now[0] - before[0], now[1] - before[1]

    assert eventually(lambda: told()[0] == 8 * 40)
    assert told()[1] < 0.7 * 8 * 40


def test_a_model_that_the_server_lacks_is_named(server):
    with pytest.raises(RemoteUnavailable, match=r"v77-classifier.*NOT_FOUND"):
        opened(server, "v77", wait_s=0.0)


@pytest.mark.django_db(transaction=True)
def test_server_away_the_cascade_answers_and_back_it_serves_again(server, settings, caplog):
    settings.INFERENCE_URL, settings.CHAT_ANSWER_TIMEOUT_S = server.url, 2.0
    write_content({**SENTENCES, "refund": ["退货"], "address": ["改地址"]})
    engine = Engine(
        Sources(loading.frozen_encoder, artifacts.active_version, loading.trained_model)
    )
    try:
        eventually(lambda: engine.status().state == "ready", within_s=30)
        assert engine.classify("快递到哪了").source == "model"

        server.kill()
        answers = []
        for _ in range(5):
            began = time.monotonic()
            answers.append(engine.classify("我的快递到哪").source)
            assert time.monotonic() - began < settings.CHAT_ANSWER_TIMEOUT_S + 1
        assert set(answers) == {"keywords"}
        eventually(lambda: engine.status().state == "broken")
        assert server.url in engine.status().detail

        server.start()
        eventually(lambda: engine.classify("快递到哪了").source == "model", within_s=30)
        eventually(lambda: engine.status().state == "ready")
    finally:
        engine.stop()


def test_a_server_that_answers_nothing_costs_one_deadline_and_is_asked_again_later(server):
    client = opened(server, timeout_s=1.0)
    feed = batch([5])
    client.run(*feed, ["logits"])

    server.freeze()
    try:
        with pytest.raises(RemoteUnavailable, match="DEADLINE_EXCEEDED"):
            client.run(*feed, ["logits"])
        began = time.monotonic()
        with pytest.raises(RemoteUnavailable, match="asked again soon"):
            client.run(*feed, ["logits"])
        assert time.monotonic() - began < 1.0  # it was not asked
    finally:
        server.thaw()

    def answers() -> bool:
        try:
            return len(client.run(*feed, ["logits"])) == 1
        except RemoteUnavailable:
            return False

    eventually(answers)


# --- our own server -------------------------------------------------------------------------


@pytest.fixture
def own(place, tmp_path) -> Iterator[OwnServer]:
    found = OwnServer(tmp_path, **place.environment(), CONTENT_POLL_S="0.05")
    found.start()
    yield found
    found.stop()


def test_own_server_follows_the_pointer_and_serves_the_old_version_on(own, place):
    old = opened(own)
    place.write_version("v2")

    artifacts.point_to("v2")
    new = opened(own, "v2")  # waits until the server has it

    feed = batch([4, 9])
    assert np.array_equal(old.run(*feed, ["logits"])[0], new.run(*feed, ["logits"])[0])


def test_own_server_says_why_a_version_is_not_served(own, place):
    graph = place.write_version("v3")
    graph.write_bytes(graph.read_bytes()[:-7])

    artifacts.point_to("v3")

    with pytest.raises(RemoteUnavailable, match=r"v3-classifier cannot be loaded: .* is not what"):
        opened(own, "v3")
    assert len(opened(own).run(*batch([4]), ["logits"])) == 1  # what was served is still


def test_own_server_ends_in_order_under_load(own):
    clients = [opened(own) for _ in range(4)]
    outcomes: list[str] = []
    began = threading.Barrier(5)

    def ask(client: Remote) -> None:
        began.wait(20)
        try:
            for number in range(400):
                client.run(*batch([64] * 8, seed=number), ["logits"])
        except RemoteUnavailable as gone:
            outcomes.append(str(gone))

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    began.wait(20)
    time.sleep(0.2)

    assert own.stop() == 0

    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 4  # every client was told, and none waited on


# --- files for Triton -----------------------------------------------------------------------


def test_export_for_tritons_own_onnx_backend(place, tmp_path):
    call_command("export_triton", tmp_path / "repository")

    names = sorted(folder.name for folder in (tmp_path / "repository").iterdir())
    assert names == sorted([remote_name(encoder.ensure().embedder), "v1-classifier"])
    folder = tmp_path / "repository" / "v1-classifier"
    config = (folder / "config.pbtxt").read_text()
    assert 'platform: "onnxruntime_onnx"' in config
    assert (
        '{ name: "logits" data_type: TYPE_FP32 dims: [ 5 ] label_filename: "labels.txt" }' in config
    )
    assert (folder / "labels.txt").read_text().split() == list(LABELS)
    assert sorted(path.name for path in (folder / "1").iterdir()) == ["model.onnx"]
    assert open_backend(folder / "1" / "model.onnx", threads=1).outputs["logits"] == 5


def test_export_twice_replaces_and_keeps_other_versions(place, tmp_path):
    for version in ("v1", "v1"):
        call_command("export_triton", tmp_path, "--model", version)
    (tmp_path / "another").mkdir()

    call_command("export_triton", tmp_path)

    assert {"another", "v1-classifier"} < {folder.name for folder in tmp_path.iterdir()}


def test_export_of_a_version_that_is_not_there(place, tmp_path):
    with pytest.raises(CommandError, match="v99"):
        call_command("export_triton", tmp_path, "--model", "v99")
