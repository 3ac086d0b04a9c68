"""REST of private notes and mentions: for staff only, and for nobody else's eyes."""

from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import services
from chat.models import Mention, Note
from chat.sockets import name_of
from csplatform import rates
from csplatform.roles import AGENTS
from csplatform.schema import RefusalBody
from csplatform.tokens import Bearer

# In the list; older ones have been seen or forgotten.
_MENTIONS_MOST = 50
_TEXT_MOST = 200
_ABSENT = {404: OpenApiResponse(RefusalBody, "There is no such conversation.")}


def agent_of(request: Request) -> int:
    """Return the primary key of the agent who asks; the role has been checked."""
    user_id = cast(Bearer, request.user).user_id
    assert user_id is not None  # noqa: S101  (agents are users)
    return user_id


def limited(request: Request) -> None:
    """Count a request that costs the database something.

    Raises:
        TooFast: Too many of them.
    """
    rates.count("chat", cast(Bearer, request.user).pk)


class Named(serializers.Serializer):
    """A colleague."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class NoteBody(serializers.Serializer):
    """One note."""

    id = serializers.IntegerField()
    text = serializers.CharField()
    author = serializers.CharField()
    is_mine = serializers.BooleanField()
    after_seq = serializers.IntegerField(help_text="It stands below this message.")
    created_at = serializers.DateTimeField()
    mentions = Named(many=True)


class NotesBody(serializers.Serializer):
    """The notes of a conversation, oldest first, the latest 200."""

    notes = NoteBody(many=True)


class NoteRequest(serializers.Serializer):
    """A note to write."""

    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    mentions = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=20, default=list
    )
    client_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Sent again, it returns what was stored then."
    )


def _body(note: Note, reader: int) -> dict[str, Any]:
    return {
        "id": note.pk,
        "text": note.text,
        "author": name_of(note.author),
        "is_mine": note.author_id == reader,
        "after_seq": note.after_seq,
        "created_at": note.created_at.isoformat(),
        "mentions": [
            {"id": one.user_id, "name": name_of(one.user)} for one in note.mentioned.all()
        ],
    }


class Notes(APIView):
    """Read and write the private notes of a conversation."""

    roles = AGENTS

    @extend_schema(operation_id="workspace_notes", responses={200: NotesBody, **_ABSENT})
    def get(self, request: Request, conversation: UUID) -> Response:
        limited(request)
        reader = agent_of(request)
        notes = services.notes_of(conversation)
        return Response({"notes": [_body(one, reader) for one in notes]})

    @extend_schema(
        operation_id="workspace_notes_write",
        request=NoteRequest,
        responses={201: NoteBody, **_ABSENT},
    )
    def post(self, request: Request, conversation: UUID) -> Response:
        limited(request)
        asked = NoteRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        author = agent_of(request)
        note = services.write_note(
            conversation_id=conversation,
            author_id=author,
            text=asked.validated_data["text"],
            mentions=asked.validated_data["mentions"],
            client_id=asked.validated_data.get("client_id"),
            now=timezone.now(),
        )
        return Response(_body(note, author), status=201)


class MentionBody(serializers.Serializer):
    """A note in which the agent is named."""

    conversation = serializers.UUIDField()
    customer = serializers.CharField(help_text="Name, or uid where there is none.")
    author = serializers.CharField()
    text = serializers.CharField(help_text="The beginning of it.")
    created_at = serializers.DateTimeField()
    is_unread = serializers.BooleanField()


class MentionsBody(serializers.Serializer):
    """Where the agent is named, the latest first."""

    mentions = MentionBody(many=True)
    unread = serializers.IntegerField()


class _Seen(serializers.Serializer):
    conversation = serializers.UUIDField()


class _Unread(serializers.Serializer):
    unread = serializers.IntegerField()


def _mention(mention: Mention) -> dict[str, Any]:
    note = mention.note
    conversation = note.conversation
    return {
        "conversation": str(note.conversation_id),
        "customer": conversation.customer.name if conversation.customer else conversation.uid,
        "author": name_of(note.author),
        "text": note.text[:_TEXT_MOST],
        "created_at": note.created_at.isoformat(),
        "is_unread": mention.seen_at is None,
    }


class Mentions(APIView):
    """Where the agent is named in notes; a POST says that he has seen those of a conversation."""

    roles = AGENTS

    @extend_schema(operation_id="workspace_mentions", responses={200: MentionsBody})
    def get(self, request: Request) -> Response:
        limited(request)
        agent = agent_of(request)
        latest = services.mentions_of(agent, most=_MENTIONS_MOST)
        unread = services.unread_mentions(agent)
        return Response({"mentions": [_mention(one) for one in latest], "unread": unread})

    @extend_schema(operation_id="workspace_mentions_seen", request=_Seen, responses={200: _Unread})
    def post(self, request: Request) -> Response:
        limited(request)
        asked = _Seen(data=request.data)
        asked.is_valid(raise_exception=True)
        unread = services.see_mentions(
            user_id=agent_of(request),
            conversation_id=asked.validated_data["conversation"],
            now=timezone.now(),
        )
        return Response({"unread": unread})
