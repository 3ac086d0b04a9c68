"""REST of what customers think: of their conversation, and of single answers of the bot."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import services
from chat.api.views import StatusFrame
from chat.api.visits import REFUSALS, Which, status_of, uid_of
from chat.models import MessageFeedback
from chat.models.ratings import COMMENT_MOST, SCORE_MOST
from csplatform.roles import CUSTOMERS
from csplatform.schema import RefusalBody


class _Rating(Which):
    score = serializers.IntegerField(
        min_value=1, max_value=SCORE_MOST, help_text="1 is worst, 5 is best."
    )
    comment = serializers.CharField(allow_blank=True, default="", max_length=COMMENT_MOST)


class _Feedback(Which):
    seq = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="Of the answer.")
    feedback = serializers.ChoiceField(["UP", "DOWN"])
    reason = serializers.ChoiceField(
        MessageFeedback.Reason.values, allow_blank=True, default="", help_text="Of DOWN."
    )


class Rating(APIView):
    """Rate a conversation that has ended or was handed back; again changes it."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_rate",
        request=_Rating,
        responses={
            200: StatusFrame,
            409: OpenApiResponse(RefusalBody, "It goes on."),
            **REFUSALS,
        },
    )
    def post(self, request: Request) -> Response:
        uid = uid_of(request)
        asked = _Rating(data=request.data)
        asked.is_valid(raise_exception=True)
        fields: dict[str, Any] = asked.validated_data
        services.rate(
            uid=uid,
            conversation_id=fields["conversation"],
            score=fields["score"],
            comment=fields["comment"],
            now=timezone.now(),
        )
        return status_of(uid, fields)

    @extend_schema(
        operation_id="conversation_put_rating_away",
        parameters=[OpenApiParameter("conversation", str, required=True)],
        responses={200: StatusFrame, **REFUSALS},
    )
    def delete(self, request: Request) -> Response:
        """Do not ask again; a rating that was given stays."""
        uid = uid_of(request)
        asked = Which(data=request.query_params)
        asked.is_valid(raise_exception=True)
        fields: dict[str, Any] = asked.validated_data
        services.put_rating_away(uid=uid, conversation_id=fields["conversation"])
        return status_of(uid, fields)


class Feedback(APIView):
    """Thumbs up or down for one answer of the bot; again changes it."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_feedback",
        request=_Feedback,
        responses={200: _Feedback, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        uid = uid_of(request)
        asked = _Feedback(data=request.data)
        asked.is_valid(raise_exception=True)
        fields: dict[str, Any] = asked.validated_data
        services.give_feedback(
            uid=uid,
            conversation_id=fields["conversation"],
            seq=fields["seq"],
            is_up=fields["feedback"] == "UP",
            reason=fields["reason"],
            now=timezone.now(),
        )
        return Response(_Feedback(fields).data)
