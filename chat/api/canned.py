"""REST of canned replies: those an agent can use in a conversation, and his own ones."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import services
from chat.api.notes import agent_of, limited
from chat.models import CannedReply
from csplatform.roles import AGENTS
from csplatform.schema import RefusalBody


class WordedBody(serializers.Serializer):
    """A canned reply as this customer would read it."""

    id = serializers.IntegerField(source="reply.pk")
    shortcut = serializers.CharField(source="reply.shortcut")
    title = serializers.CharField(source="reply.title")
    pinyin = serializers.CharField(source="reply.pinyin", help_text="Syllables of the title.")
    text = serializers.CharField(help_text="Variables of `missing` stay as they are written.")
    language = serializers.CharField()
    missing = serializers.ListField(child=serializers.CharField())
    is_own = serializers.SerializerMethodField()

    def get_is_own(self, worded: services.Worded) -> bool:
        return worded.reply.owner_id is not None


class WordedRepliesBody(serializers.Serializer):
    """All that the agent can use here."""

    replies = WordedBody(many=True)


class Worded(APIView):
    """What the agent can use in a conversation, in its language and with this customer's facts."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_canned_replies_worded",
        responses={
            200: WordedRepliesBody,
            404: OpenApiResponse(RefusalBody, "There is no such conversation."),
        },
    )
    def get(self, request: Request, conversation: UUID) -> Response:
        limited(request)
        worded = services.worded_for(
            conversation_id=conversation, agent_id=agent_of(request), now=timezone.now()
        )
        return Response(WordedRepliesBody({"replies": worded}).data)


class OwnBody(serializers.ModelSerializer):
    """A canned reply of the agent's own."""

    class Meta:
        model = CannedReply
        fields = ("id", "shortcut", "title", "text_zh", "text_en")
        read_only_fields = ("id",)
        # What is wrong with them the service says, in one place for the admin, too.
        extra_kwargs = {
            name: {"allow_blank": True, "required": False, "validators": []}
            for name in ("shortcut", "title", "text_zh", "text_en")
        }


class OwnRepliesBody(serializers.Serializer):
    """The agent's own ones."""

    replies = OwnBody(many=True)


def _saved(request: Request, reply_id: int | None) -> dict[str, Any]:
    asked = OwnBody(data=request.data)
    asked.is_valid(raise_exception=True)
    try:
        reply = services.save_own(
            agent_id=agent_of(request), reply_id=reply_id, **asked.validated_data
        )
    except ValidationError as error:
        raise serializers.ValidationError(error.message_dict) from None
    return dict(OwnBody(reply).data)


_WRONG = {400: OpenApiResponse(RefusalBody, "A field is wrong; `fields` says which.")}
_NOT_HIS = {404: OpenApiResponse(RefusalBody, "Not one of the agent's own.")}


class Own(APIView):
    """The agent's own canned replies."""

    roles = AGENTS

    @extend_schema(operation_id="workspace_canned_replies", responses={200: OwnRepliesBody})
    def get(self, request: Request) -> Response:
        limited(request)
        return Response(OwnRepliesBody({"replies": services.own_of(agent_of(request))}).data)

    @extend_schema(
        operation_id="workspace_canned_replies_write",
        request=OwnBody,
        responses={201: OwnBody, **_WRONG},
    )
    def post(self, request: Request) -> Response:
        limited(request)
        return Response(_saved(request, None), status=201)


class OneOwn(APIView):
    """One of the agent's own canned replies."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_canned_replies_change",
        request=OwnBody,
        responses={200: OwnBody, **_WRONG, **_NOT_HIS},
    )
    def put(self, request: Request, reply: int) -> Response:
        limited(request)
        return Response(_saved(request, reply))

    @extend_schema(
        operation_id="workspace_canned_replies_delete", responses={204: None, **_NOT_HIS}
    )
    def delete(self, request: Request, reply: int) -> Response:
        limited(request)
        services.delete_own(agent_id=agent_of(request), reply_id=reply)
        return Response(status=204)
