"""Labels: their colours, and putting them on."""

import uuid
from datetime import datetime

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from chat import services
from chat.models import ConversationLabel, Label
from chat.models.labels import check_colour, contrast
from tests.chat.test_inbox import api
from tests.databases import at_once
from tests.factories import ConversationFactory, StaffFactory

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


class TestColours:
    def test_contrast_is_what_the_guideline_says(self):
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)

    @given(colours)
    def test_the_letters_can_be_read_on_every_colour(self, colour: str):
        assert contrast(Label(colour=colour).ink, colour) >= 4.5

    @pytest.mark.parametrize(
        "colour", ["", "red", "#FFF", "#12345G", "#123456\n", "#ffffff", "#fafafa", "#141c1a"]
    )
    def test_what_is_no_colour_or_cannot_be_seen_is_refused(self, colour: str):
        with pytest.raises(ValidationError):
            check_colour(colour)

    @pytest.mark.parametrize("colour", ["#0b6b5d", "#ffcc00", "#b3261e", "#888888"])
    def test_the_usual_ones_are_taken(self, colour: str):
        check_colour(colour)


@pytest.mark.django_db
class TestPuttingOn:
    def test_twice_is_once_and_off_is_off(self, now: datetime):
        one, label, agent = (
            ConversationFactory(),
            Label.objects.create(name="退款"),
            StaffFactory(),
        )
        address = f"/api/workspace/conversations/{one.pk}/labels/{label.pk}"

        for _ in range(2):
            assert api(agent).put(address).status_code == 204
        labelled = ConversationLabel.objects.get()
        assert (labelled.conversation_id, labelled.labelled_by_id) == (one.pk, agent.pk)

        for _ in range(2):
            assert api(agent).delete(address).status_code == 204
        assert not ConversationLabel.objects.exists()

    def test_what_is_not_there_is_refused_and_so_is_who_is_no_agent(self):
        one, label = ConversationFactory(), Label.objects.create(name="退款")
        there = f"/api/workspace/conversations/{one.pk}/labels/{label.pk}"
        agent, editor = api(StaffFactory()), api(StaffFactory(role="business editor"))

        missing = agent.put(f"/api/workspace/conversations/{one.pk}/labels/999")
        assert (missing.status_code, missing.json()["code"]) == (404, "no_such_label")
        nowhere = agent.put(f"/api/workspace/conversations/{uuid.uuid4()}/labels/{label.pk}")
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_conversation")
        assert editor.put(there).status_code == 403
        assert not ConversationLabel.objects.exists()

    def test_a_supervisor_makes_one_and_sees_it(self):
        client = Client()
        client.force_login(
            StaffFactory(role="supervisor"), backend="django.contrib.auth.backends.ModelBackend"
        )
        add = reverse("admin:chat_label_add")
        client.post(add, {"name": "看不见", "colour": "#ffffff"})
        assert not Label.objects.exists()

        client.post(add, {"name": "退款", "colour": "#ffcc00"})

        assert Label.objects.get().colour == "#ffcc00"
        page = client.get(reverse("admin:chat_label_changelist")).content.decode()
        assert "退款" in page
        assert 'fill="#ffcc00"' in page


def test_many_agents_put_it_on_at_once(both_databases: str, now: datetime):
    one, label, agent = ConversationFactory(), Label.objects.create(name="退款"), StaffFactory()

    def attach() -> None:
        services.attach_label(conversation_id=one.pk, label_id=label.pk, agent_id=agent.pk, now=now)

    outcomes = at_once(*[attach] * 6)

    assert [outcome.refusal for outcome in outcomes] == [""] * 6
    assert ConversationLabel.objects.count() == 1
