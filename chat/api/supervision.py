"""REST of supervisors: the monitor, and whispers, which the agent of a conversation reads too."""

from typing import cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import monitor, presence
from chat.api.notes import agent_of, limited
from chat.models import Whisper
from chat.services import supervision
from chat.sockets import name_of
from csplatform.roles import AGENTS, SUPERVISORS, may
from csplatform.schema import RefusalBody
from csplatform.tokens import Bearer


class _Wanted(serializers.Serializer):
    queue = serializers.IntegerField(required=False, allow_null=True, default=None)
    agent = serializers.IntegerField(required=False, allow_null=True, default=None)
    status = serializers.ChoiceField(
        [str(one) for one in monitor.OPEN], required=False, allow_blank=True, default=""
    )


class Monitor(APIView):
    """Queues, agents and open conversations right now."""

    roles = SUPERVISORS

    @extend_schema(
        operation_id="workspace_monitor",
        parameters=[
            OpenApiParameter("queue", int, description="Conversations of this queue only."),
            OpenApiParameter("agent", int, description="Conversations of this agent only."),
            OpenApiParameter("status", str, enum=[str(one) for one in monitor.OPEN]),
        ],
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, "As in docs/protocol.md, Monitor.")},
    )
    def get(self, request: Request) -> Response:
        limited(request)
        asked = _Wanted(data=request.query_params)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        wanted = monitor.Wanted(fields["queue"], fields["agent"], fields["status"])
        found = monitor.read(wanted=wanted, present=presence.present(), now=timezone.now())
        return Response(found)


class WhisperBody(serializers.Serializer):
    """One whisper."""

    id = serializers.IntegerField()
    text = serializers.CharField()
    author = serializers.CharField()
    is_mine = serializers.BooleanField()
    after_seq = serializers.IntegerField(help_text="It stands below this message.")
    sent_at = serializers.DateTimeField()


class WhispersBody(serializers.Serializer):
    """What was whispered in a conversation, oldest first, the latest 200."""

    whispers = WhisperBody(many=True)


class WhisperRequest(serializers.Serializer):
    """Something to whisper."""

    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    client_id = serializers.UUIDField(help_text="Sent again, it returns what was stored then.")


def _body(one: Whisper, reader: int) -> dict[str, object]:
    return {
        "id": one.pk,
        "text": one.text,
        "author": name_of(one.author),
        "is_mine": one.author_id == reader,
        "after_seq": one.after_seq,
        "sent_at": one.sent_at,
    }


class Whispers(APIView):
    """What supervisors said to the agent of a conversation; its customer never reads it."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_whispers",
        responses={
            200: WhispersBody,
            403: OpenApiResponse(RefusalBody, "Neither a supervisor nor somebody who has had it."),
            404: OpenApiResponse(RefusalBody, "There is no such conversation."),
        },
    )
    def get(self, request: Request, conversation: UUID) -> Response:
        limited(request)
        reader = agent_of(request)
        found = supervision.whispers_of(
            conversation, reader_id=reader, is_supervisor=_is_supervisor(request)
        )
        return Response(
            {"whispers": WhisperBody([_body(one, reader) for one in found], many=True).data}
        )


class OneWhisper(APIView):
    """Whisper to the agent of a conversation."""

    roles = SUPERVISORS

    @extend_schema(
        operation_id="workspace_whisper",
        request=WhisperRequest,
        responses={
            201: WhisperBody,
            400: OpenApiResponse(RefusalBody, "There is nothing in it."),
            404: OpenApiResponse(RefusalBody, "There is no such conversation."),
            409: OpenApiResponse(RefusalBody, "No agent has it: nobody would read it."),
        },
    )
    def post(self, request: Request, conversation: UUID) -> Response:
        limited(request)
        asked = WhisperRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        author = agent_of(request)
        said = supervision.whisper(
            conversation_id=conversation,
            author_id=author,
            now=timezone.now(),
            **asked.validated_data,
        )
        return Response(WhisperBody(_body(said, author)).data, 201)


def _is_supervisor(request: Request) -> bool:
    return may(cast(Bearer, request.user), SUPERVISORS)
