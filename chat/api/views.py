"""REST for customers and programs: the same services as the socket, for when that is down."""

import time
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import access, dialogue, services, sockets
from chat.api.attachments import AttachmentFrame
from chat.attachments import MOST_PER_MESSAGE
from chat.frames import queue_of, rating_of
from chat.models import Conversation
from csplatform import rates
from csplatform.errors import Refusal
from csplatform.hot import HotView, most_bytes_of
from csplatform.roles import CUSTOMERS
from csplatform.schema import RefusalBody
from csplatform.threads import in_thread
from csplatform.tokens import Bearer
from intents import content
from intents.decisions import Decision
from intents.models import Channel, Language

_REFUSALS = {
    401: OpenApiResponse(RefusalBody, "No access token, or it is broken or expired."),
    404: OpenApiResponse(RefusalBody, "Not this customer's conversation."),
    429: OpenApiResponse(RefusalBody, "Too fast; see Retry-After."),
}


class ChatRequest(serializers.Serializer):
    """A customer's message."""

    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    conversation = serializers.UUIDField(
        required=False, allow_null=True, help_text="Without it: the open one, else a new one."
    )
    client_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Sent again, it returns what was stored then."
    )
    attachments = serializers.ListField(
        child=serializers.UUIDField(),
        default=list,
        max_length=MOST_PER_MESSAGE,
        help_text="Files uploaded before (POST /api/attachments). With some, text may be empty.",
    )
    channel = serializers.ChoiceField(
        [Channel.WEB.value, Channel.API.value],
        default=Channel.API.value,
        help_text="Of a new conversation; replies may be meant for one of them.",
    )
    language = serializers.ChoiceField(
        Language.values,
        default=Language.CHINESE.value,
        help_text="Of a new conversation until a message says otherwise.",
    )


class ChatResponse(serializers.Serializer):
    """What the bot made of it. `intent`, `prob`, `reply` are null while an agent has it."""

    intent = serializers.CharField(allow_null=True, help_text="Likeliest intent's code.")
    prob = serializers.FloatField(allow_null=True, help_text="Its calibrated probability.")
    reply = serializers.CharField(allow_null=True)
    decision = serializers.ChoiceField(list(Decision))
    conversation = serializers.UUIDField()
    message = serializers.IntegerField(help_text="The customer message's seq.")
    cached = serializers.BooleanField(help_text="Whether the model was spared.")
    model = serializers.CharField(allow_null=True, help_text="Version of the model.")
    elapsed_ms = serializers.FloatField()


_CHAT = ChatRequest()


def _uid(request: Request) -> str:
    """Return the customer's uid; the role has been checked."""
    return cast(Bearer, request.user).uid


class Chat(HotView):
    """Post a message and wait for the bot's answer."""

    roles = CUSTOMERS
    most_bytes = most_bytes_of(settings.CHAT_MESSAGE_MAX_CHARS)
    too_large = services.TooLong

    @extend_schema(
        operation_id="chat",
        request=ChatRequest,
        responses={
            200: ChatResponse,
            202: OpenApiResponse(ChatResponse, "Stored; a human reads it and the bot is silent."),
            400: OpenApiResponse(RefusalBody, "Empty, malformed, or blocked as an attack."),
            413: OpenApiResponse(RefusalBody, "Too long."),
            **_REFUSALS,
        },
    )
    async def post(self, request: HttpRequest, bearer: Bearer) -> HttpResponse:
        """Post a message and wait for the bot's answer."""
        began = time.perf_counter()
        try:
            fields = await self.sent(request, _CHAT)
        except (APIException, Refusal):
            await in_thread(rates.count)("chat", bearer.uid)  # nonsense counts, too
            raise

        def post() -> services.Posted:
            rates.count("chat", bearer.uid)
            return services.post_customer_message(
                uid=bearer.uid,
                text=fields["text"],
                client_id=fields.get("client_id"),
                conversation_id=fields.get("conversation"),
                attachment_ids=fields["attachments"],
                channel=fields["channel"],
                spoken=fields["language"],
                now=timezone.now(),
            )

        posted, outcome = await dialogue.post_and_answer(post, fields["text"])
        body: dict[str, Any] = {
            "intent": None,
            "prob": None,
            "reply": None,
            "decision": Decision.HAND_OVER,
            "conversation": posted.message.conversation_id,
            "message": posted.message.seq,
            "cached": outcome.cached,
            "model": None,
            "elapsed_ms": round((time.perf_counter() - began) * 1000, 2),
        }
        if (answer := outcome.answer) is None:
            return self.answer(body, 202)
        body |= {
            "intent": answer.intent or None,
            "prob": answer.probability,
            "reply": answer.text,
            "decision": answer.decision,
            "model": answer.model_version or None,
        }
        return self.answer(body)


class MessageFrame(serializers.Serializer):
    """One line of a conversation, as in docs/protocol.md."""

    conversation = serializers.UUIDField()
    seq = serializers.IntegerField()
    sender = serializers.ChoiceField(["CUSTOMER", "BOT", "AGENT", "SYSTEM"])
    text = serializers.CharField()
    sent_at = serializers.DateTimeField()
    client_id = serializers.UUIDField(allow_null=True)
    answers = serializers.IntegerField(allow_null=True)
    decision = serializers.CharField()
    intent = serializers.CharField()
    probability = serializers.FloatField(allow_null=True)
    buttons = serializers.ListField(child=serializers.DictField())
    author = serializers.CharField()
    recalls = serializers.IntegerField(
        allow_null=True, help_text="Of a line that takes another back: that one's seq."
    )
    recalled_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was taken back; `text` is empty then."
    )
    feedback = serializers.ChoiceField(["UP", "DOWN", ""])
    attachments = AttachmentFrame(many=True)


class MessagesFrame(serializers.Serializer):
    """The frame `messages`."""

    type = serializers.CharField()
    conversation = serializers.UUIDField()
    messages = MessageFrame(many=True)
    last_seq = serializers.IntegerField()


class QueueFrame(serializers.Serializer):
    """The part `queue` of the frames `welcome` and `status`, while the customer waits."""

    position = serializers.IntegerField()
    wait_low_s = serializers.IntegerField(allow_null=True)
    wait_high_s = serializers.IntegerField(allow_null=True)
    open = serializers.BooleanField()
    opens_at = serializers.DateTimeField(allow_null=True)


class ReadMarks(serializers.Serializer):
    """The part `read` of the same frames: the seq up to which each side has read."""

    customer = serializers.IntegerField()
    agent = serializers.IntegerField()


class RatingPart(serializers.Serializer):
    """The part `rating` of the same frames, while the customer is asked how content he was."""

    score = serializers.IntegerField(allow_null=True)
    comment = serializers.CharField(allow_blank=True)


class WelcomeFrame(serializers.Serializer):
    """The frame `welcome`."""

    type = serializers.CharField()
    conversation = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(Conversation.Status.choices)
    agent = serializers.CharField()
    last_seq = serializers.IntegerField()
    greeting = serializers.CharField()
    suggestions = serializers.ListField(child=serializers.CharField())
    read = ReadMarks(required=False)
    queue = QueueFrame(required=False)
    rating = RatingPart(required=False)


class StatusFrame(serializers.Serializer):
    """The frame `status`."""

    type = serializers.CharField()
    conversation = serializers.UUIDField()
    status = serializers.ChoiceField(Conversation.Status.choices)
    agent = serializers.CharField()
    read = ReadMarks()
    queue = QueueFrame(required=False)
    rating = RatingPart(required=False)


class _Which(serializers.Serializer):
    conversation = serializers.UUIDField(required=False, allow_null=True)
    language = serializers.ChoiceField(Language.values, default=Language.CHINESE.value)


class _After(serializers.Serializer):
    conversation = serializers.UUIDField()
    after = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)


class OpenConversation(APIView):
    """The conversation that the customer finds, greeting and suggested questions."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation",
        parameters=[OpenApiParameter("language", str, enum=Language.values)],
        responses={200: WelcomeFrame, 401: _REFUSALS[401], 429: _REFUSALS[429]},
    )
    def get(self, request: Request) -> Response:
        rates.count("chat", _uid(request))
        asked = _Which(data=request.query_params)
        asked.is_valid(raise_exception=True)
        mine = access.shown_to(_uid(request), timezone.now())
        queue = queue_of(mine) if mine else None
        rating = rating_of(mine) if mine else None
        language = asked.validated_data["language"]
        return Response(sockets.welcome(mine, content.current(), language, queue, rating))


class Messages(APIView):
    """What a client lacks of one of the customer's conversations, at most 200 lines at a time."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_messages",
        parameters=[
            OpenApiParameter("conversation", str, required=True),
            OpenApiParameter("after", int, description="The last seq that the client has."),
        ],
        responses={200: MessagesFrame, **_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        rates.count("chat", _uid(request))
        asked = _After(data=request.query_params)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        conversation = access.of_customer(_uid(request), fields["conversation"])
        news = sockets.news(conversation.pk, fields["after"])
        return Response(sockets.messages(news.conversation, news.messages, for_staff=False))


class Human(APIView):
    """Ask for a human: the conversation waits for an agent."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_human",
        request=_Which,
        responses={
            200: StatusFrame,
            409: OpenApiResponse(RefusalBody, "It has ended."),
            **_REFUSALS,
        },
    )
    def post(self, request: Request) -> Response:
        rates.count("chat", _uid(request))
        asked = _Which(data=request.data)
        asked.is_valid(raise_exception=True)
        conversation = services.ask_for_human(
            uid=_uid(request),
            conversation_id=asked.validated_data.get("conversation"),
            spoken=asked.validated_data["language"],
            now=timezone.now(),
        )
        return Response(sockets.status(conversation, queue_of(conversation)))
