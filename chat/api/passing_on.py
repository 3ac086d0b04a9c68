"""REST of what an agent decides about a conversation: where it goes, how it ended, what was said."""

from dataclasses import asdict
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import presence, services
from chat.api.notes import agent_of, limited
from chat.models import AgentProfile, Disposition
from csplatform.roles import AGENTS, SUPERVISORS
from csplatform.schema import RefusalBody

_ABSENT = {404: OpenApiResponse(RefusalBody, "There is no such conversation.")}


class ColleagueBody(serializers.Serializer):
    """An agent, and whether he could take a chat."""

    id = serializers.IntegerField(source="user_id")
    name = serializers.CharField()
    availability = serializers.ChoiceField(AgentProfile.Availability.choices)
    present = serializers.BooleanField(
        source="is_present", allow_null=True, help_text="null: nobody can tell"
    )
    chats = serializers.IntegerField()
    capacity = serializers.IntegerField()
    free = serializers.BooleanField(
        source="is_free", help_text="There, taking chats, and with room."
    )


class QueueBody(serializers.Serializer):
    """A queue."""

    id = serializers.IntegerField(source="queue_id")
    name = serializers.CharField()
    open = serializers.BooleanField(source="is_open")
    waiting = serializers.IntegerField()


class ColleaguesBody(serializers.Serializer):
    """All agents but the one who asks, those who could take a chat first."""

    agents = ColleagueBody(many=True)


class DestinationsBody(ColleaguesBody):
    """Where a conversation could go, and a summary to begin with."""

    queues = QueueBody(many=True)
    summary = serializers.CharField()


class PassedOnBody(serializers.Serializer):
    """What the agent before left for the next one; all null where it was not passed on."""

    passed_by = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    summary = serializers.CharField(allow_null=True)
    passed_at = serializers.DateTimeField(allow_null=True)


class DispositionBody(serializers.Serializer):
    """How a conversation can come out."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="shown_name")


class DispositionsBody(serializers.Serializer):
    """What to choose from when a conversation is ended."""

    dispositions = DispositionBody(many=True)


class OriginalBody(serializers.Serializer):
    """What a message said that was taken back."""

    text = serializers.CharField()


def _colleagues(request: Request) -> list[services.Colleague]:
    asking = agent_of(request)
    return [one for one in services.colleagues(present=presence.present()) if one.user_id != asking]


class Colleagues(APIView):
    """Who else answers customers: to name in a note."""

    roles = AGENTS

    @extend_schema(operation_id="workspace_colleagues", responses={200: ColleaguesBody})
    def get(self, request: Request) -> Response:
        limited(request)
        return Response(ColleaguesBody({"agents": _colleagues(request)}).data)


class Destinations(APIView):
    """Where a conversation could be passed on to, and an extract of it for the next agent."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_destinations", responses={200: DestinationsBody, **_ABSENT}
    )
    def get(self, request: Request, conversation: UUID) -> Response:
        limited(request)
        body = {
            "summary": services.summary_of(conversation),
            "agents": _colleagues(request),
            "queues": services.open_queues(now=timezone.now()),
        }
        return Response(DestinationsBody(body).data)


class PassedOn(APIView):
    """What the agent who passed a conversation on left for the next one."""

    roles = AGENTS

    @extend_schema(operation_id="workspace_passed_on", responses={200: PassedOnBody, **_ABSENT})
    def get(self, request: Request, conversation: UUID) -> Response:
        limited(request)
        left = services.passed_on(conversation)
        nothing = dict.fromkeys(("passed_by", "reason", "summary", "passed_at"))
        return Response(PassedOnBody(asdict(left) if left else nothing).data)


class Dispositions(APIView):
    """What to choose from when a conversation is ended."""

    roles = AGENTS

    @extend_schema(operation_id="workspace_dispositions", responses={200: DispositionsBody})
    def get(self, request: Request) -> Response:
        limited(request)
        active = Disposition.objects.filter(is_active=True)
        return Response(DispositionsBody({"dispositions": active}).data)


class Original(APIView):
    """What a message said that was taken back: for supervisors."""

    roles = SUPERVISORS

    @extend_schema(
        operation_id="workspace_original",
        responses={
            200: OriginalBody,
            404: OpenApiResponse(RefusalBody, "Nobody has taken such a message back."),
        },
    )
    def get(self, request: Request, conversation: UUID, seq: int) -> Response:
        limited(request)
        text = services.original(conversation_id=conversation, seq=seq)
        return Response({"text": text})
