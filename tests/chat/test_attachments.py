"""Files: judged by content, stored apart, bound to one message, given to whom the message is for."""

import io
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from rest_framework_simplejwt.tokens import AccessToken

from chat import attachments, dialogue, services, sockets, tasks
from chat.attachments import kinds, storage
from chat.models import Attachment, Conversation, Message
from csplatform import tokens
from csplatform.bodies import BoundedBodies
from csplatform.errors import Refusal
from tests.chat import files
from tests.chat.conftest import ScriptedEngine
from tests.chat.test_sockets import Connect, connect, customer, rows
from tests.databases import at_once
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

__all__ = ["connect"]  # a fixture

pytestmark = pytest.mark.django_db

STORED = Path(configured.VAR_DIR) / "attachments"


@pytest.fixture(autouse=True)
def _empty_storage() -> Iterator[None]:
    yield
    for path in STORED.rglob("*"):
        if path.is_file():
            path.unlink()


def stored_files() -> int:
    return sum(path.is_file() for path in STORED.rglob("*"))


def upload(content: bytes, name: str = "a", *, uid: str = "C1", **fields: Any) -> Attachment:
    fields.setdefault("now", datetime.fromisoformat("2026-11-22T10:00:00+00:00"))
    if "agent_id" not in fields:
        fields["uid"] = uid
    return attachments.upload(file=SimpleUploadedFile(name, content), **fields)


def refused_with(content: bytes, name: str = "a") -> str:
    with pytest.raises(Refusal) as refused:
        upload(content, name)
    assert not Attachment.objects.exists()
    assert stored_files() == 0
    return refused.value.code


class TestContentDecides:
    @pytest.mark.parametrize(
        ("content", "content_type", "name"),
        [
            (files.image("png"), "image/png", "a.png"),
            (files.image("jpeg"), "image/jpeg", "a.jpg"),
            (files.image("gif"), "image/gif", "a.gif"),
            (files.image("webp"), "image/webp", "a.webp"),
            (files.PDF, "application/pdf", "a.pdf"),
            (files.MP4, "video/mp4", "a.mp4"),
            ("运单号 123\n".encode(), "text/plain", "a.txt"),
            ("运单号 123\n".encode("gb18030"), "text/plain", "a.txt"),
        ],
        ids=["png", "jpeg", "gif", "webp", "pdf", "mp4", "utf-8", "gb18030"],
    )
    def test_what_it_is_and_how_its_name_ends(self, content: bytes, content_type: str, name: str):
        attachment = upload(content)

        assert (attachment.content_type, attachment.name) == (content_type, name)
        assert attachment.size == len(storage.read(storage.path_of(attachment)))

    @pytest.mark.parametrize(
        ("part", "ending"), [("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx")]
    )
    def test_office_files_are_let_in_without_macros_only(self, part: str, ending: str):
        assert upload(files.office(part)).name == f"a.{ending}"
        Attachment.objects.all().delete()

        with pytest.raises(attachments.FileType):
            upload(files.office(part, "word/vbaProject.bin"), f"a.{ending}")

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (files.HTML, "page.png"),
            (files.SVG, "drawing.svg"),
            (files.SVG, "drawing.png"),
            (b'<?xml version="1.0"?>' + files.SVG, "a.txt"),
            (b"\xef\xbb\xbf  \n<html>", "a.txt"),
            (b"MZ\x90\x00\x03\x00\x00\x00", "photo.jpg"),
            (b"#!/bin/sh\n\x00\x01", "a.txt"),
            (files.office("anything.xml"), "a.zip"),
            (b"<script>x</script>" + files.office("word/document.xml"), "a.docx"),
            (b"\x00" + files.PDF, "a.pdf"),
            (b"%PDF-1.7 and no end \x00", "a.pdf"),
        ],
    )
    def test_what_is_none_of_the_types_is_refused_whatever_its_name(
        self, content: bytes, name: str
    ):
        assert refused_with(content, name) == "file_type"

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x89PNG\r\n\x1a\nnothing", b"GIF89a<script>alert(1)</script>", b"\xff\xd8\xff\xe0"],
    )
    def test_empty_and_damaged_files_are_refused(self, content: bytes):
        assert refused_with(content, "a.png") == "file_broken"

    def test_the_setting_says_which_types(self, settings: Any):
        settings.ATTACHMENT_TYPES = ["png", "jpeg"]

        assert refused_with(files.PDF, "a.pdf") == "file_type"
        assert upload(files.image()).content_type == "image/png"

    def test_too_many_bytes(self, settings: Any):
        settings.ATTACHMENT_MAX_MB = 0.001

        assert refused_with(b"x" * 1001) == "file_too_large"
        assert upload(b"x" * 1000).size == 1000

    @pytest.mark.parametrize(
        ("sent", "shown"),
        [
            ("../../etc/passwd", "passwd.txt"),
            ("C:\\fakepath\\订单.txt", "订单.txt"),
            ("invoice\u202egnp.txt", "invoice gnp.txt"),
            ("a\r\nSet-Cookie: x.txt", "a Set-Cookie: x.txt"),
            ("...", "file.txt"),
            ("", "file.txt"),
            ("x.html", "x.html.txt"),
            ("长" * 300 + ".txt", "长" * 116 + ".txt"),
        ],
    )
    def test_names_are_for_people_and_make_no_path(self, sent: str, shown: str):
        kind = next(kind for kind in kinds.KINDS if kind.name == "txt")

        assert kinds.name_of(sent, kind) == shown
        assert len(shown) <= 120

    def test_nothing_in_the_storage_tells_a_name(self):
        upload(b"hello", "../../secret.txt")

        (path,) = [path for path in STORED.rglob("*") if path.is_file()]
        assert len(path.name) == 32
        assert path.parent.parent == STORED
        assert path.stat().st_mode & 0o077 == 0


class TestImages:
    def test_a_photo_loses_place_and_device_and_stands_upright(self):
        sent = files.photo_with_place()
        assert b"SecretPhone" in sent

        attachment = upload(sent, "IMG_1.JPG")

        content = storage.read(storage.path_of(attachment))
        image = Image.open(io.BytesIO(content))
        assert (attachment.width, attachment.height) == image.size == (400, 640)
        assert not image.getexif()
        assert b"ecret" not in content
        assert attachment.name == "IMG_1.jpg"

    def test_texts_in_a_png_are_left_behind(self):
        attachment = upload(files.png_with_text())

        assert b"secret" not in storage.read(storage.path_of(attachment))

    @pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
    def test_what_hides_behind_an_image_is_left_behind(self, kind: str):
        attachment = upload(files.image(kind) + files.HTML + files.office("word/document.xml"))

        content = storage.read(storage.path_of(attachment))
        assert b"<script>" not in content
        assert b"PK\x03\x04" not in content
        assert Image.open(io.BytesIO(content)).size == (640, 400)

    def test_a_script_in_a_comment_of_a_gif_is_left_behind(self):
        attachment = upload(files.image("gif", comment=files.HTML))

        assert b"<script>" not in storage.read(storage.path_of(attachment))

    def test_the_thumbnail_is_small(self):
        attachment = upload(files.image("png", (1600, 1000)))

        small = Image.open(io.BytesIO(attachments.content(attachment, thumbnail=True)))
        assert (small.format, small.size) == ("WEBP", (320, 200))

    def test_an_animation_keeps_moving(self):
        attachment = upload(files.animation(3))

        content = storage.read(storage.path_of(attachment))
        assert Image.open(io.BytesIO(content)).n_frames == 3

    def test_a_huge_photo_is_made_smaller(self):
        attachment = upload(files.image("jpeg", (6000, 100)))

        assert (attachment.width, attachment.height) == (4096, 68)

    @pytest.mark.parametrize("mode", ["CMYK", "L"])
    def test_pictures_of_print_are_read(self, mode: str):
        data = io.BytesIO()
        Image.new(mode, (30, 20)).save(data, "jpeg")

        assert upload(data.getvalue()).width == 30

    def test_a_decompression_bomb_is_refused_before_it_is_decoded(self):
        assert refused_with(files.bomb()) == "too_many_pixels"

    def test_the_frames_of_an_animation_count_together(self, settings: Any):
        settings.ATTACHMENT_MAX_MEGAPIXELS = 0.003  # two frames of 40 by 30

        assert refused_with(files.animation(3)) == "too_many_pixels"


class TestUploading:
    def test_only_so_many_unsent_ones_of_a_person(self, settings: Any):
        settings.ATTACHMENT_UNSENT_MAX = 2
        upload(b"1"), upload(b"2")

        with pytest.raises(attachments.TooManyFiles):
            upload(b"3")

        upload(b"of somebody else", uid="C2")
        assert Attachment.objects.count() == 3

    def test_those_not_sent_within_a_day_are_swept_with_their_files(
        self, now: datetime, django_capture_on_commit_callbacks: Any
    ):
        old = upload(files.image(), now=now - timedelta(hours=25))
        fresh = upload(b"fresh", now=now - timedelta(hours=23))
        sent = upload(b"sent", now=now - timedelta(hours=25))
        Attachment.objects.filter(pk=sent.pk).update(message=MessageFactory())
        assert stored_files() == 4

        with django_capture_on_commit_callbacks(execute=True):
            assert attachments.forget_unsent(now=now) == 1

        assert set(Attachment.objects.values_list("pk", flat=True)) == {fresh.pk, sent.pk}
        assert stored_files() == 2
        assert not storage.store().exists(storage.path_of(old))

    def test_the_sweep_is_a_task(self):
        tasks.forget_unsent_attachments()

    def test_files_go_with_their_conversation(self, django_capture_on_commit_callbacks: Any):
        message = MessageFactory()
        Attachment.objects.filter(pk=upload(files.image()).pk).update(message=message)
        assert stored_files() == 2

        with django_capture_on_commit_callbacks(execute=True):
            message.conversation.delete()

        assert stored_files() == 0

    def test_a_failed_insert_leaves_no_file(self, monkeypatch: pytest.MonkeyPatch):
        def fail(self: Attachment, **kwargs: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr(Attachment, "save", fail)
        with pytest.raises(RuntimeError):
            upload(files.image())

        assert stored_files() == 0


def finds_virus(file: BinaryIO, *, name: str, content_type: str) -> bool:
    return b"EICAR" not in file.read()


def fails(file: BinaryIO, *, name: str, content_type: str) -> bool:
    raise OSError("the scanner's socket is away")


class TestScanner:
    def test_refuses_what_it_finds_and_lets_the_rest_in_whole(self, settings: Any):
        settings.ATTACHMENT_SCANNER = f"{__name__}.finds_virus"

        assert refused_with(b"EICAR test") == "file_infected"
        attachment = upload(b"harmless")
        assert storage.read(storage.path_of(attachment)) == b"harmless"

    @pytest.mark.parametrize("scanner", [f"{__name__}.fails", "nowhere.at_all"])
    def test_one_that_fails_lets_nothing_in(self, settings: Any, scanner: str):
        settings.ATTACHMENT_SCANNER = scanner

        assert refused_with(b"anything") == "unavailable"


# --- With messages --------------------------------------------------------------------------


def post(uid: str = "C1", text: str = "", **fields: Any) -> services.Posted:
    fields.setdefault("now", datetime.fromisoformat("2026-11-22T10:00:00+00:00"))
    fields.setdefault("client_id", uuid.uuid4())
    return services.post_customer_message(uid=uid, text=text, **fields)


def frames(conversation: Conversation, **fields: Any) -> list[Any]:
    news = sockets.news(conversation.pk, 0)
    return sockets.messages(news.conversation, news.messages, for_staff=False)["messages"]


class TestPosting:
    def test_a_message_may_be_files_alone(self):
        first, second = upload(files.image(), "1.png"), upload(files.PDF, "2.pdf")

        message = post(attachment_ids=[second.pk, first.pk]).message

        assert (message.text, message.seq, message.has_attachments) == ("", 1, True)
        (line,) = frames(message.conversation)
        assert [one["name"] for one in line["attachments"]] == ["2.pdf", "1.png"], (
            "as they are named"
        )
        assert line["attachments"][1] == {
            "id": str(first.pk),
            "name": "1.png",
            "content_type": "image/png",
            "size": first.size,
            "width": 640,
            "height": 400,
            "url": f"/api/attachments/{first.pk}",
            "thumbnail_url": f"/api/attachments/{first.pk}/thumbnail",
        }
        assert line["attachments"][0]["thumbnail_url"] is None

    def test_without_files_it_may_not_be_empty(self):
        with pytest.raises(services.EmptyMessage):
            post(text=" ")

    def test_a_repeat_binds_nothing_again(self):
        attachment, key = upload(b"1"), uuid.uuid4()
        first = post(attachment_ids=[attachment.pk], client_id=key)

        again = post(attachment_ids=[attachment.pk], client_id=key)

        assert (again.is_new, again.message.pk) == (False, first.message.pk)
        assert Attachment.objects.get().message_id == first.message.pk

    def test_somebody_elses_file_is_refused_and_nothing_stored(self):
        own, other = upload(b"1"), upload(b"2", uid="C2")

        with pytest.raises(attachments.NoSuchAttachment):
            post(text="看看", attachment_ids=[own.pk, other.pk])

        assert not Message.objects.exists()
        assert not Conversation.objects.exists()
        assert set(Attachment.objects.values_list("message", flat=True)) == {None}

    @pytest.mark.parametrize("whose", ["sent", "an agent's", "nobody's"])
    def test_files_that_are_not_his_to_send(self, whose: str):
        if whose == "sent":
            wanted = upload(b"1").pk
            post(attachment_ids=[wanted])
        else:
            wanted = (
                upload(b"1", agent_id=StaffFactory().pk).pk if "agent" in whose else uuid.uuid4()
            )
        before = Message.objects.count()

        with pytest.raises(attachments.NoSuchAttachment):
            post(text="再来", attachment_ids=[wanted])

        assert Message.objects.count() == before

    def test_an_agent_sends_one_of_his_own(self, now: datetime):
        agent = StaffFactory()
        conversation = ConversationFactory(status="AGENT", agent=agent, uid="C1")
        attachment, customers = upload(b"1", agent_id=agent.pk), upload(b"2")
        reply = {"conversation_id": conversation.pk, "agent_id": agent.pk, "now": now, "text": ""}

        with pytest.raises(attachments.NoSuchAttachment):
            services.post_agent_message(**reply, attachment_ids=[customers.pk])
        message = services.post_agent_message(**reply, attachment_ids=[attachment.pk])

        assert message.seq == 1
        assert frames(conversation)[0]["attachments"][0]["id"] == str(attachment.pk)

    def test_files_of_many_lines_are_one_query(self, django_assert_num_queries: Any):
        for number in range(5):
            post(text="一", attachment_ids=[upload(str(number).encode()).pk for _ in range(2)])
        conversation = Conversation.objects.get()
        plain = ConversationFactory()
        MessageFactory.create_batch(3, conversation=plain)

        with django_assert_num_queries(3):  # the conversation, its lines, their files
            assert len(frames(conversation)) == 5
        with django_assert_num_queries(2):  # nothing is asked of lines without any
            frames(plain)

    def test_a_visitor_who_signs_in_sends_what_he_had_uploaded(self, now: datetime):
        visitor = "anon-1"
        attachment = upload(b"1", uid=visitor)

        services.join_visitor(visitor_uid=visitor, uid="C1", now=now)

        assert post(uid="C1", attachment_ids=[attachment.pk]).is_new

    def test_what_is_taken_back_has_no_files_for_anybody(self, now: datetime):
        agent = StaffFactory()
        conversation = ConversationFactory(status="AGENT", agent=agent, uid="C1")
        attachment = upload(b"1", agent_id=agent.pk)
        message = services.post_agent_message(
            conversation_id=conversation.pk,
            agent_id=agent.pk,
            text="",
            attachment_ids=[attachment.pk],
            now=now,
        )
        Message.objects.create(
            conversation=conversation, seq=2, sender="SYSTEM", text="撤回", recalls=message
        )

        assert frames(conversation)[0]["attachments"] == []
        for reader in (
            lambda: attachments.for_customer(attachment.pk, uid="C1"),
            lambda: attachments.for_agent(attachment.pk, agent_id=agent.pk, is_supervisor=False),
        ):
            with pytest.raises(attachments.NoSuchAttachment):
                reader()
        assert attachments.for_agent(attachment.pk, agent_id=1, is_supervisor=True)


@pytest.mark.usefixtures("talk")
class TestTheBot:
    def answered(self, message: Message) -> Message:
        outcome = dialogue.answer_blocking(message)
        assert outcome.answer is not None
        return outcome.answer

    def test_says_that_it_cannot_look_at_pictures_and_offers_a_human(self, engine: ScriptedEngine):
        message = post(attachment_ids=[upload(files.image()).pk], spoken="en").message

        answer = self.answered(message)

        assert answer.text == "[files_only en]"
        assert [button.get("action") for button in answer.buttons] == ["human"]
        assert engine.asked == []

    def test_three_pictures_in_a_row_call_nobody(self, engine: ScriptedEngine):
        for _ in range(3):
            self.answered(post(attachment_ids=[upload(files.image()).pk]).message)

        assert Conversation.objects.get().status == "BOT"

    def test_answers_what_is_written_beside_a_picture(self, engine: ScriptedEngine):
        message = post(text="我的快递到哪了", attachment_ids=[upload(files.image()).pk]).message

        assert self.answered(message).intent == "logistics"

    def test_leaves_it_to_the_human_who_was_called(self, engine: ScriptedEngine, now: datetime):
        services.ask_for_human(uid="C1", spoken="zh", now=now)
        message = post(attachment_ids=[upload(files.image()).pk]).message

        assert dialogue.answer_blocking(message).answer is None


@pytest.mark.parametrize("uids", [("C1", "C1"), ("C1", "C2")])
def test_of_two_messages_with_one_file_at_once_one_has_it(both_databases: Any, uids: Any):
    attachment = upload(b"1")

    outcomes = at_once(
        *(lambda uid=uid: post(uid=uid, text="看", attachment_ids=[attachment.pk]) for uid in uids)
    )

    assert sorted(one.refusal for one in outcomes) == ["", "no_such_attachment"]
    assert Message.objects.count() == 1
    assert Attachment.objects.get().message_id == Message.objects.get().pk


# --- Over REST ------------------------------------------------------------------------------


class Rest:
    """A page's side of the REST interface."""

    def __init__(self, uid: str = "", user: Any = None) -> None:
        kind = tokens.STAFF if user else tokens.CUSTOMER
        self.token = tokens.issue(subject=str(user.pk) if user else uid, kind=kind)["token"]
        self.upload_path = "/api/workspace/attachments" if user else "/api/attachments"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}

    def upload(self, content: bytes, name: str = "a.png") -> Any:
        file = SimpleUploadedFile(name, content, content_type="text/html")
        return Client().post(self.upload_path, {"file": file}, headers=self.headers)

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(path, headers={**self.headers, **headers})

    def delete(self, path: str) -> Any:
        return Client().delete(path, headers=self.headers)


@pytest.mark.django_db(transaction=True)
class TestRest:
    def sent(self, content: bytes = b"", name: str = "a.png") -> dict[str, Any]:
        """Upload and send a file of C1's."""
        frame = Rest("C1").upload(content or files.image(), name).json()
        post(text="看", attachment_ids=[uuid.UUID(frame["id"])])
        return frame

    def test_an_image_comes_inline_and_locked_up(self):
        frame = self.sent()

        answer = Rest("C1").get(frame["url"])

        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/png"
        assert answer["Content-Disposition"] == 'inline; filename="a.png"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["Cache-Control"] == "private, no-cache"
        assert "Authorization" in answer["Vary"]
        assert Rest("C1").get(frame["thumbnail_url"])["Content-Type"] == "image/webp"

    @pytest.mark.parametrize(
        ("content", "name", "content_type"),
        [
            (files.PDF, "账单.pdf", "application/pdf"),
            (b"javascript:alert(1)", "x.html", "text/plain"),
        ],
    )
    def test_everything_else_is_to_be_saved(self, content: bytes, name: str, content_type: str):
        frame = self.sent(content, name)

        answer = Rest("C1").get(frame["url"])

        assert answer["Content-Disposition"].startswith("attachment; filename")
        assert (answer["Content-Type"], answer.content) == (content_type, content)
        assert Rest("C1").get(f"{frame['url']}/thumbnail").status_code == 404

    def test_what_the_browser_has_is_not_sent_again(self):
        frame = self.sent()
        etag = Rest("C1").get(frame["url"])["ETag"]

        again = Rest("C1").get(frame["url"], **{"If-None-Match": etag})

        assert (again.status_code, again.content) == (304, b"")
        assert Rest("C2").get(frame["url"], **{"If-None-Match": etag}).status_code == 404

    def test_another_customers_file_does_not_exist(self):
        frame = self.sent()
        unsent = Rest("C1").upload(files.image()).json()

        for path in (frame["url"], frame["thumbnail_url"], unsent["url"]):
            refused = Rest("C2").get(path)
            assert (refused.status_code, refused.json()["code"]) == (404, "no_such_attachment")

    def test_agents_get_what_was_sent_and_nobody_elses_that_was_not(self):
        frame, unsent = self.sent(), Rest("C1").upload(files.image()).json()
        agent, other = Rest(user=StaffFactory()), Rest(user=StaffFactory())
        own = agent.upload(files.image()).json()

        assert agent.get(frame["url"]).status_code == 200
        assert agent.get(own["url"]).status_code == 200
        assert agent.get(unsent["url"]).status_code == 404
        assert other.get(own["url"]).status_code == 404
        assert Rest("C1").get(own["url"]).status_code == 404

    @pytest.mark.parametrize("token", ["", "broken", "expired"])
    def test_without_a_valid_token_there_is_nothing(self, token: str):
        frame = self.sent()
        if token == "expired":
            expired = AccessToken()
            expired["sub"], expired["kind"] = "C1", tokens.CUSTOMER
            expired.set_exp(lifetime=timedelta(seconds=-1))
            token = str(expired)
        headers = {"Authorization": f"Bearer {token}"} if token else {}

        assert Client().get(frame["url"], headers=headers).status_code == 401
        assert Client().get(f"{frame['url']}?token={Rest('C1').token}").status_code == 401

    @pytest.mark.parametrize("role", ["business editor", "reviewer"])
    def test_other_staff_get_nothing(self, role: str):
        frame, staff = self.sent(), Rest(user=StaffFactory(role=role))

        assert staff.get(frame["url"]).status_code == 403
        assert staff.upload(files.image()).status_code == 403
        assert staff.delete(frame["url"]).status_code == 403

    def test_customers_do_not_upload_as_agents_nor_agents_as_customers(self):
        customer, agent = Rest("C1"), Rest(user=StaffFactory())
        customer.upload_path, agent.upload_path = agent.upload_path, customer.upload_path

        assert customer.upload(files.image()).status_code == 403
        assert agent.upload(files.image()).status_code == 403
        assert not Attachment.objects.exists()

    @pytest.mark.parametrize(
        ("content", "status", "code"),
        [
            (files.HTML, 415, "file_type"),
            (b"", 400, "file_broken"),
            (files.bomb(), 413, "too_many_pixels"),
        ],
    )
    def test_refusals_say_why(self, content: bytes, status: int, code: str):
        refused = Rest("C1").upload(content)

        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert refused.json()["detail"]

    @pytest.mark.parametrize("body", [{}, {"file": "no file"}])
    def test_a_form_without_a_file_is_invalid(self, body: dict[str, str]):
        refused = Client().post("/api/attachments", body, headers=Rest("C1").headers)

        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")

    def test_one_that_is_not_sent_can_be_removed_by_its_owner_only(self):
        unsent, sent = Rest("C1").upload(files.image()).json(), self.sent()

        assert Rest("C2").delete(unsent["url"]).status_code == 404
        assert Rest("C1").delete(sent["url"]).status_code == 404
        assert stored_files() == 4
        assert Rest("C1").delete(unsent["url"]).status_code == 204
        assert stored_files() == 2

    def test_uploads_are_counted(self, settings: Any):
        settings.RATES = {**settings.RATES, "upload": (1, 60)}
        rest = Rest("C1")
        rest.upload(b"1")

        refused = rest.upload(b"2")

        assert (refused.status_code, refused.json()["code"]) == (429, "too_fast")

    @pytest.mark.usefixtures("talk", "engine")
    def test_a_message_over_rest_takes_them_along(self):
        rest = Rest("C1")
        frame = rest.upload(files.image()).json()

        answered = Client().post(
            "/api/chat",
            {"text": "", "attachments": [frame["id"]]},
            content_type="application/json",
            headers=rest.headers,
        )

        assert (answered.status_code, answered.json()["reply"]) == (200, "[files_only zh]")
        assert Attachment.objects.get().message.seq == 1
        too_many = Client().post(
            "/api/chat",
            {"text": "", "attachments": [str(uuid.uuid4())] * 11},
            content_type="application/json",
            headers=rest.headers,
        )
        assert too_many.json()["code"] == "invalid"


# --- Over the sockets -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db", "talk", "engine")
async def test_both_sides_see_each_others_files_over_their_sockets(connect: Connect):
    client, _welcome = await customer(connect, uid="C1")
    attachment = await rows(lambda: upload(files.image(), "破损.png"))
    sent = {"client_id": str(uuid.uuid4()), "text": "", "attachments": [str(attachment.pk)]}
    await client.send("message", **sent)
    accepted = await client.next("accepted")
    await client.lines(upto=2)
    user = await rows(StaffFactory)
    conversation = accepted["conversation"]
    await rows(
        lambda: services.take_over(
            conversation_id=conversation, agent_id=user.pk, now=datetime.now().astimezone()
        )
    )
    agent = await connect("/ws/workspace/")
    await agent.send("hello", token=tokens.issue(subject=str(user.pk), kind=tokens.STAFF)["token"])
    await agent.next("welcome")
    await agent.send("open", conversation=conversation, after=0)

    (seen, *_) = await agent.lines(upto=3)
    reply = await rows(lambda: upload(files.PDF, "标签.pdf", agent_id=user.pk))
    fields = {"client_id": str(uuid.uuid4()), "text": "", "attachments": [str(reply.pk)]}
    await agent.send("message", conversation=conversation, **fields)
    answered = (await client.lines(upto=4))[-1]
    await client.send("message", **{**sent, "client_id": str(uuid.uuid4())})
    refused = await client.next("refused")

    assert [one["name"] for one in seen["attachments"]] == ["破损.png"]
    assert [one["name"] for one in answered["attachments"]] == ["标签.pdf"]
    assert refused["code"] == "no_such_attachment"


# --- The size of bodies ---------------------------------------------------------------------


class Sending:
    """A client of an ASGI application that sends a body in pieces."""

    def __init__(self, pieces: int, length: int | None = None) -> None:
        self.pieces, self.sent, self.asked = pieces, [], 0
        headers = [] if length is None else [(b"content-length", str(length).encode())]
        self.scope = {"type": "http", "headers": [*headers, (b"accept-language", b"en")]}

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        return {
            "type": "http.request",
            "body": b"x" * 1_000_000,
            "more_body": self.asked < self.pieces,
        }

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


@pytest.mark.parametrize(
    ("pieces", "length", "read", "status"),
    [(3, None, 3, 200), (100, None, 21, 413), (1, 100_000_000, 0, 413)],
)
def test_a_body_is_read_up_to_the_limit_and_refused_beyond(
    pieces: int, length: int | None, read: int, status: int
):
    async def reads_all(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.request":
            await send({"type": "http.response.start", "status": 200})

    client = Sending(pieces, length)
    async_to_sync(BoundedBodies(reads_all))(client.scope, client.receive, client.send)

    assert client.asked == read
    assert client.sent[0]["status"] == status
