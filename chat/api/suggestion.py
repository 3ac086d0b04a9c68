"""The reply that is suggested to an agent, and what he says to it."""

from typing import cast
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import services, suggesting
from chat.models import Suggestion
from csplatform.roles import AGENTS, STAFF, Role, may
from csplatform.schema import RefusalBody
from csplatform.tokens import Bearer
from intents.models import Reply
from intents.services import VARIABLES

_REFUSALS = {
    401: OpenApiResponse(RefusalBody, "No access token, or it is broken or expired."),
    404: OpenApiResponse(RefusalBody, "There is no such conversation or suggestion."),
}
_SUGGESTION = OpenApiResponse(OpenApiTypes.OBJECT, "As in docs/protocol.md.")
_MAY_READ_REPLIES = STAFF - {Role.AGENT}


class _After(serializers.Serializer):
    after = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)


class SuggestionWord(serializers.Serializer):
    """What an agent says to a suggestion: another intent was meant, or he does not want it."""

    message = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, help_text="The customer message's seq."
    )
    intent = serializers.CharField(
        max_length=40, required=False, help_text="Code of the intent that was meant."
    )
    dismissed = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if bool(attrs.get("intent")) == attrs["dismissed"]:
            raise serializers.ValidationError("One of intent and dismissed.")
        return attrs


class SuggestedReply(APIView):
    """What the bot would say to the customer's latest words; it is never sent by itself."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_suggestion",
        parameters=[
            OpenApiParameter("after", int, description="Nothing for a message up to this seq.")
        ],
        responses={200: _SUGGESTION, **_REFUSALS},
    )
    def get(self, request: Request, conversation: UUID) -> Response:
        asked = _After(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = suggesting.suggest(
            conversation, after=asked.validated_data["after"], now=timezone.now()
        )
        return Response(_body(found, request))

    @extend_schema(
        operation_id="workspace_suggestion_word",
        request=SuggestionWord,
        responses={
            200: _SUGGESTION,
            403: OpenApiResponse(RefusalBody, "Somebody else has the conversation, or nobody."),
            **_REFUSALS,
        },
    )
    def post(self, request: Request, conversation: UUID) -> Response:
        word = SuggestionWord(data=request.data)
        word.is_valid(raise_exception=True)
        fields, now = word.validated_data, timezone.now()
        agent_id = cast(int, cast(Bearer, request.user).user_id)  # the role has been checked
        if fields["dismissed"]:
            message = services.suggestions.message_of(conversation, fields["message"])
            services.dismiss_suggestion(message_id=message.pk, agent_id=agent_id, now=now)
            return Response(_body(None, request))
        picked = suggesting.pick(
            conversation, seq=fields["message"], intent=fields["intent"], agent_id=agent_id, now=now
        )
        return Response(_body(picked, request))


def _body(suggestion: Suggestion | None, request: Request) -> dict[str, object]:
    if suggestion is None:
        return {"state": "NONE", "message": None}
    return {
        "state": suggestion.state,
        "message": suggestion.message.seq,
        "intent": suggestion.intent or suggestion.predicted,
        "is_chosen": suggestion.intent not in ("", suggestion.predicted),
        "probability": suggestion.probability,
        "choices": [{"intent": code, "probability": p} for code, p in suggestion.ranked],
        "text": suggestion.text,
        "source": suggestion.source,
        "facts": [
            {"name": str(VARIABLES.get(name, name)), "value": value}
            for name, value in suggestion.facts.items()
        ],
        "reply": _reply(suggestion, request),
    }


def _reply(suggestion: Suggestion, request: Request) -> dict[str, object] | None:
    """Which reply of the staff's it is, with its page for those who may read it there."""
    if not suggestion.template:
        return None
    found = Reply.objects.filter(intent__code=suggestion.intent, text=suggestion.template)
    key = found.order_by("pk").values_list("pk", flat=True).first()
    if key is None:
        return None
    is_reader = may(request.user, _MAY_READ_REPLIES)
    return {
        "id": key,
        "url": reverse("admin:intents_reply_change", args=[key]) if is_reader else "",
    }
