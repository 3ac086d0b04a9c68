"""The radar: wrong labels are found, decided on by one key, and that can be undone."""

from datetime import datetime

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from intents.inference import FrozenEncoder
from intents.models import Utterance
from tests.factories import StaffFactory
from tests.intents.models_of_tests import LetterEmbedder, write_content
from training import radar
from training.models import KeptLabel, RadarScan, Suspect
from training.radar import confident, scans

pytestmark = pytest.mark.django_db

WORDS = {"refund": "退款钱账", "invoice": "发票抬头", "parcel": "快递包裹"}
CONTENT = {
    code: [
        f"{letters[n % 4]}{letters[(n + 1) % 4]}{mark}{letters[n % 3]}"
        for n, mark in enumerate("甲乙丙丁戊己庚辛壬癸")
    ]
    for code, letters in WORDS.items()
}
ENCODER = FrozenEncoder("letters", LetterEmbedder())
WRONG = "发票抬头怎么写"


@pytest.fixture
def scan(now: datetime) -> RadarScan:
    write_content(CONTENT)
    write_content({"parcel": [WRONG]})
    made = radar.request_scan(now=now, queue=False)
    radar.run_scan(scan_id=made.pk, encoder=ENCODER)
    made.refresh_from_db()
    return made


def worst(scan: RadarScan) -> Suspect:
    return scan.suspects.get(rank=1)


def test_a_wrong_label_is_first_with_what_is_believed_and_why(scan: RadarScan):
    assert (scan.status, scan.utterances, scan.slot) == ("DONE", 31, None)
    found = worst(scan)
    assert (found.text, found.labelled, found.believed) == (WRONG, "parcel", "invoice")
    assert found.own_probability < found.believed_probability
    assert all(set(text) & set(WORDS["invoice"]) for text, _likeness in found.nearest_there)


def test_one_search_at_a_time_and_a_dead_one_makes_room(now: datetime):
    first = radar.request_scan(now=now, queue=False)
    with pytest.raises(radar.AlreadySearching):
        radar.request_scan(now=now, queue=False)
    later = now + 2 * scans.SILENCE_MAX
    radar.request_scan(now=later, queue=False)
    first.refresh_from_db()
    assert (first.status, first.slot) == ("FAILED", None)


def test_a_second_delivery_does_nothing(scan: RadarScan):
    before = scan.suspects.count()
    radar.run_scan(scan_id=scan.pk, encoder=ENCODER)
    assert scan.suspects.count() == before


def test_it_is_searched_again_only_when_utterances_have_moved(scan: RadarScan, now: datetime):
    assert radar.request_if_moved(now=now) is None
    write_content({"parcel": ["包裹丢了"]})
    assert radar.request_if_moved(now=now) is not None


@pytest.mark.parametrize("decision", ["MOVED", "KEPT", "DELETED"])
def test_a_decision_is_made_once_and_undone(scan: RadarScan, now: datetime, decision: str):
    by, found = StaffFactory(), worst(scan)
    radar.decide(found.pk, Suspect.Decision(decision), by=by, now=now)
    code = Utterance.objects.filter(text=WRONG).values_list("intent__code", flat=True).first()
    assert code == {"MOVED": "invoice", "KEPT": "parcel", "DELETED": None}[decision]
    with pytest.raises(radar.ChangedMeanwhile):
        radar.decide(found.pk, Suspect.Decision.KEPT, by=by, now=now)
    radar.undo(found.pk)
    assert Utterance.objects.get(text=WRONG).intent.code == "parcel"
    assert not KeptLabel.objects.exists()
    assert worst(scan).decision == ""


def test_what_was_kept_is_not_doubted_again(scan: RadarScan, now: datetime):
    radar.decide(worst(scan).pk, Suspect.Decision.KEPT, by=StaffFactory(), now=now)
    again = radar.request_scan(now=now, queue=False)
    radar.run_scan(scan_id=again.pk, encoder=ENCODER)
    assert not again.suspects.filter(text=WRONG).exists()


def test_what_was_changed_meanwhile_is_left_alone(scan: RadarScan, now: datetime):
    Utterance.objects.filter(text=WRONG).update(text="别的")
    with pytest.raises(radar.ChangedMeanwhile):
        radar.decide(worst(scan).pk, Suspect.Decision.DELETED, by=StaffFactory(), now=now)
    assert Utterance.objects.filter(text="别的").exists()
    assert worst(scan).decision == ""


def test_labels_are_doubted_where_another_is_confident():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.95, 0.05]])
    targets = np.array([0, 0, 1, 1, 1])
    assert confident.confident_labels(probabilities, targets).tolist() == [0, 0, 1, 1, 0]


def test_noise_comes_first():
    chance = np.random.default_rng(3)
    targets = np.repeat(np.arange(4), 40)
    centres = chance.normal(size=(4, 16))
    vectors = centres[targets] + 0.3 * chance.normal(size=(160, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    bad = chance.choice(160, 13, replace=False)
    given = targets.copy()
    given[bad] = (given[bad] + 1) % 4
    judged = confident.judge([f"句{n}" for n in range(160)], vectors, given)
    assert set(judged.order()[:13].tolist()) == set(bad.tolist())


class TestPage:
    def client(self, role: str) -> Client:
        client = Client()
        client.force_login(StaffFactory(role=role))
        return client

    def test_it_names_the_worst_first_and_how_old_it_is(
        self, scan: RadarScan, django_assert_max_num_queries: object
    ):
        client = self.client("business editor")
        client.get(reverse("admin:radar"))
        page = client.get(reverse("admin:radar")).content.decode()
        assert WRONG in page
        assert "共检查了 31 条" in page
        assert "有变动" not in page
        write_content({"parcel": ["包裹丢了"]})
        assert "有变动" in client.get(reverse("admin:radar")).content.decode()

    def test_a_key_decides_and_undoes(self, scan: RadarScan):
        client, address = (
            self.client("business editor"),
            reverse("admin:decide_suspect", args=[worst(scan).pk]),
        )
        json = {"Accept": "application/json"}
        assert client.post(address, {"decision": "MOVED"}, headers=json).json() == {
            "decision": "MOVED"
        }
        assert client.post(address, {"decision": "KEPT"}, headers=json).status_code == 409
        assert client.post(address, {"decision": "UNDO"}, headers=json).status_code == 200
        assert client.post(address, {"decision": "OTHER"}, headers=json).status_code == 400
        assert Utterance.objects.get(text=WRONG).intent.code == "parcel"

    def test_reviewers_move_and_keep_but_delete_nothing(self, scan: RadarScan):
        client, address = (
            self.client("reviewer"),
            reverse("admin:decide_suspect", args=[worst(scan).pk]),
        )
        assert client.post(address, {"decision": "DELETED"}).status_code == 403
        assert client.post(address, {"decision": "KEPT"}).status_code == 302

    def test_supervisors_only_read(self, scan: RadarScan):
        client = self.client("supervisor")
        assert client.get(reverse("admin:radar")).status_code == 200
        address = reverse("admin:decide_suspect", args=[worst(scan).pk])
        assert client.post(address, {"decision": "KEPT"}).status_code == 403
        assert client.post(reverse("admin:request_radar")).status_code == 403
