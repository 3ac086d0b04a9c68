"""REST of one visit: how far the customer has read, its end, and where to write to him later."""

from typing import cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import access, services, sockets
from chat.api.views import StatusFrame
from chat.frames import queue_of, rating_of
from chat.models import Conversation, LeftAddress
from csplatform import rates
from csplatform.roles import CUSTOMERS
from csplatform.schema import RefusalBody
from csplatform.tokens import Bearer

REFUSALS = {
    400: OpenApiResponse(RefusalBody, "Data is missing or wrong."),
    401: OpenApiResponse(RefusalBody, "No access token, or it is broken or expired."),
    404: OpenApiResponse(RefusalBody, "Not this customer's conversation."),
    429: OpenApiResponse(RefusalBody, "Too fast; see Retry-After."),
}


class Which(serializers.Serializer):
    """One of the customer's conversations."""

    conversation = serializers.UUIDField()


class _Read(Which):
    seq = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class _Seen(serializers.Serializer):
    conversation = serializers.UUIDField(default=None)
    seq = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)


class _UnreadBody(serializers.Serializer):
    conversation = serializers.UUIDField(allow_null=True, help_text="That a hello would take.")
    status = serializers.ChoiceField(Conversation.Status.choices)
    unread = serializers.IntegerField()
    awaits_answer = serializers.BooleanField(
        help_text="Something he said there waits for the bot's answer, which comes at any moment."
    )


class _Address(Which):
    email = serializers.EmailField(
        allow_blank=True, max_length=254, help_text="Empty takes it back."
    )


def uid_of(request: Request) -> str:
    """Return the customer's uid; the role has been checked. Counts the request.

    Raises:
        TooFast: Too many of them.
    """
    uid = cast(Bearer, request.user).uid
    rates.count("chat", uid)
    return uid


def status_of(uid: str, fields: dict[str, object]) -> Response:
    """Answer with the frame `status`, as it is now."""
    conversation = access.of_customer(uid, fields["conversation"])  # type: ignore[arg-type]
    parts = queue_of(conversation), rating_of(conversation)
    return Response(sockets.status(conversation, *parts))


class Unread(APIView):
    """What waits for a customer who has not opened the chat: asked instead of opening a socket."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_unread",
        parameters=[
            OpenApiParameter("conversation", str, description="That the browser showed last."),
            OpenApiParameter("seq", int, description="The line up to which it did."),
        ],
        responses={200: _UnreadBody, 400: REFUSALS[400], 401: REFUSALS[401], 429: REFUSALS[429]},
    )
    def get(self, request: Request) -> Response:
        uid = uid_of(request)
        asked = _Seen(data=request.query_params)
        asked.is_valid(raise_exception=True)
        unread = services.unread_of_customer(
            uid=uid,
            seen_in=asked.validated_data["conversation"],
            seen_seq=asked.validated_data["seq"],
            now=timezone.now(),
        )
        return Response(
            sockets.unread(unread.conversation, unread.count, awaits_answer=unread.awaits_answer)
        )


class Read(APIView):
    """All lines up to one were on the customer's screen."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_read", request=_Read, responses={200: StatusFrame, **REFUSALS}
    )
    def post(self, request: Request) -> Response:
        uid = uid_of(request)
        asked = _Read(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        services.read_by_customer(
            uid=uid, conversation_id=fields["conversation"], seq=fields["seq"]
        )
        return status_of(uid, fields)


class End(APIView):
    """End the conversation, whoever has it; an ended one stays ended."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_end", request=Which, responses={200: StatusFrame, **REFUSALS}
    )
    def post(self, request: Request) -> Response:
        uid = uid_of(request)
        asked = Which(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        services.close_by_customer(
            uid=uid, conversation_id=fields["conversation"], now=timezone.now()
        )
        return status_of(uid, fields)


class Address(APIView):
    """Where an agent's answer is mailed if the customer has left: for this conversation only."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_address",
        parameters=[OpenApiParameter("conversation", str, required=True)],
        responses={200: _Address, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Return the address that was left, "" for none."""
        uid = uid_of(request)
        asked = Which(data=request.query_params)
        asked.is_valid(raise_exception=True)
        conversation = access.of_customer(uid, asked.validated_data["conversation"])
        left = LeftAddress.objects.filter(conversation=conversation)
        email = left.values_list("email", flat=True).first() or ""
        return Response({"conversation": str(conversation.pk), "email": email})

    @extend_schema(
        operation_id="conversation_leave_address",
        request=_Address,
        responses={
            200: _Address,
            409: OpenApiResponse(RefusalBody, "No mail is set up."),
            **REFUSALS,
        },
    )
    def put(self, request: Request) -> Response:
        """Leave one, or take it back."""
        uid = uid_of(request)
        asked = _Address(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        services.leave_address(
            uid=uid,
            conversation_id=fields["conversation"],
            email=fields["email"],
            now=timezone.now(),
        )
        return Response({"conversation": str(fields["conversation"]), "email": fields["email"]})
