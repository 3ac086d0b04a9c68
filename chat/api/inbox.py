"""REST for the agents' lists: to leaf through, to search, to label. What is live, the socket brings."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import inbox, services
from chat.models import Conversation, Label, Message, Queue
from csplatform import rates
from csplatform.roles import AGENTS, SUPERVISORS
from csplatform.schema import RefusalBody
from csplatform.tokens import Bearer
from intents.models import Language

_REFUSALS = {
    400: OpenApiResponse(RefusalBody, "Some of the parameters are wrong."),
    401: OpenApiResponse(RefusalBody, "No access token, or it is broken or expired."),
    403: OpenApiResponse(RefusalBody, "Not for this role."),
    429: OpenApiResponse(RefusalBody, "Too fast; see Retry-After."),
}
_GONE = OpenApiResponse(RefusalBody, "There is no such conversation, or no such label.")


class LabelFrame(serializers.Serializer):
    """A label, and the colour of the letters that can be read on it."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    colour = serializers.CharField(help_text="#rrggbb")
    ink = serializers.CharField(help_text="#rrggbb")


class EntryFrame(serializers.Serializer):
    """An inbox entry, as in docs/protocol.md."""

    conversation = serializers.UUIDField()
    uid = serializers.CharField()
    customer = serializers.CharField(help_text="Name, or empty.")
    language = serializers.ChoiceField(Language.values)
    status = serializers.ChoiceField(Conversation.Status.choices)
    agent = serializers.CharField()
    agent_is_me = serializers.BooleanField()
    is_for_me = serializers.BooleanField(help_text="It waits, and my team and languages fit.")
    waiting_since = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    queue = serializers.CharField()
    queue_id = serializers.IntegerField(allow_null=True)
    because = serializers.CharField()
    intent = serializers.CharField()
    is_escalated = serializers.BooleanField()
    is_offline = serializers.BooleanField()
    labels = LabelFrame(many=True)
    last_text = serializers.CharField()
    last_seq = serializers.IntegerField()
    last_customer_seq = serializers.IntegerField()
    read_seq = serializers.IntegerField()
    sla_kind = serializers.ChoiceField(["FIRST_RESPONSE", "RESOLUTION", ""])
    sla_due_at = serializers.DateTimeField(allow_null=True)


class ConversationsPage(serializers.Serializer):
    """A part of a list."""

    conversations = EntryFrame(many=True)
    after = serializers.CharField(help_text="For the next page; empty on the last one.")


class QueueName(serializers.Serializer):
    """A queue, to filter by."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class Filters(serializers.Serializer):
    """What the lists can be narrowed to."""

    queues = QueueName(many=True)
    labels = LabelFrame(many=True)


class HitFrame(serializers.Serializer):
    """One line, or one customer (then without `seq`)."""

    conversation = serializers.UUIDField()
    customer = serializers.CharField()
    uid = serializers.CharField()
    status = serializers.ChoiceField(Conversation.Status.choices)
    seq = serializers.IntegerField(allow_null=True)
    sender = serializers.ChoiceField(["", *Message.Sender.values])
    excerpt = serializers.CharField()
    at = serializers.DateTimeField()


class FoundFrame(serializers.Serializer):
    """What a search found, the newest first."""

    words = serializers.ListField(child=serializers.CharField())
    people = HitFrame(many=True)
    lines = HitFrame(many=True)
    has_more = serializers.BooleanField()
    is_cut_short = serializers.BooleanField(help_text="There was no time to look everywhere.")


# Since when: days before today, in the shop's zone; a week begins on Monday.
_PERIODS: dict[str, Callable[[date], date]] = {
    "TODAY": lambda today: today,
    "WEEK": lambda today: today - timedelta(days=today.weekday()),
    "MONTH": lambda today: today.replace(day=1),
}


class _Asked(serializers.Serializer):
    view = serializers.ChoiceField([str(view) for view in inbox.View])
    after = serializers.CharField(default="", max_length=100)
    queue = serializers.IntegerField(allow_null=True, default=None)
    label = serializers.IntegerField(  # type: ignore[assignment]  # a field of that name, no label
        allow_null=True, default=None
    )
    language = serializers.ChoiceField(Language.values, default="")
    intent = serializers.CharField(default="", max_length=40)
    waiting_s = serializers.IntegerField(
        allow_null=True, default=None, min_value=0, max_value=10_000_000
    )


class _Query(serializers.Serializer):
    q = serializers.CharField(max_length=200, default="", allow_blank=True)
    mood = serializers.ChoiceField([str(one) for one in inbox.Mood], default="")
    intent = serializers.CharField(default="", max_length=40)
    period = serializers.ChoiceField(list(_PERIODS), default="")


def _since(period: str, now: datetime) -> datetime | None:
    if not period:
        return None
    began = _PERIODS[period](timezone.localdate(now))
    return timezone.make_aware(datetime.combine(began, time.min))


def _viewer(request: Request) -> inbox.Viewer:
    return inbox.viewer(_agent_id(request), is_supervisor=_is_supervisor(request))


def _agent_id(request: Request) -> int:
    """Return who asks; the role has been checked, and agents are users."""
    return cast(int, cast(Bearer, request.user).user_id)


def _is_supervisor(request: Request) -> bool:
    return bool(cast(Bearer, request.user).roles & SUPERVISORS)


class Conversations(APIView):
    """A list of conversations, the one that changed hands last first, 50 at a time."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_conversations",
        parameters=[
            OpenApiParameter("view", str, required=True, enum=[str(one) for one in inbox.View]),
            OpenApiParameter("after", str, description="Of the page before."),
            OpenApiParameter("queue", int),
            OpenApiParameter("label", int),
            OpenApiParameter("language", str, enum=Language.values),
            OpenApiParameter("intent", str, description="Its code."),
            OpenApiParameter("waiting_s", int, description="Waits for so long at least."),
        ],
        responses={200: ConversationsPage, **_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        rates.count("chat", cast(Bearer, request.user).pk)
        asked = _Asked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        page = inbox.page(
            inbox.View(fields["view"]),
            _viewer(request),
            wanted=inbox.Wanted(
                queue_id=fields["queue"],
                label_id=fields["label"],
                language=fields["language"],
                intent=fields["intent"],
                waiting_s=fields["waiting_s"],
            ),
            after=fields["after"],
            now=timezone.now(),
        )
        return Response({"conversations": page.entries, "after": page.after})


class OneConversation(APIView):
    """The entry of one conversation, whoever has it and whether it has ended."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_conversation",
        responses={200: EntryFrame, 404: _GONE, 401: _REFUSALS[401], 403: _REFUSALS[403]},
    )
    def get(self, request: Request, conversation: UUID) -> Response:
        rates.count("chat", cast(Bearer, request.user).pk)
        return Response(inbox.entry_of(conversation, _viewer(request)))


class AllFilters(APIView):
    """The queues and labels that lists can be narrowed to."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_filters",
        responses={200: Filters, 401: _REFUSALS[401], 403: _REFUSALS[403]},
    )
    def get(self, request: Request) -> Response:
        queues = [{"id": pk, "name": name} for pk, name in Queue.objects.values_list("pk", "name")]
        labels = [inbox.label_frame(label) for label in Label.objects.all()]
        return Response({"queues": queues, "labels": labels})


class Search(APIView):
    """Find lines by parts of their text, and customers by parts of their name or uid."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_search",
        parameters=[
            OpenApiParameter("q", str, description="All words must be in. Needed unless narrowed."),
            OpenApiParameter(
                "mood",
                str,
                enum=[str(one) for one in inbox.Mood],
                description="Only texts that were read as a whole (docs/analysis.md).",
            ),
            OpenApiParameter("intent", str, description="As `mood`: its code."),
            OpenApiParameter("period", str, enum=list(_PERIODS), description="Begun when."),
        ],
        responses={200: FoundFrame, **_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        rates.count("chat", cast(Bearer, request.user).pk)
        asked = _Query(data=request.query_params)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        narrowed = inbox.Narrowed(
            mood=inbox.Mood(fields["mood"]) if fields["mood"] else None,
            intent=fields["intent"],
            since=_since(fields["period"], timezone.now()),
        )
        return Response(FoundFrame(inbox.search(fields["q"], narrowed=narrowed)).data)


class LabelOfConversation(APIView):
    """Put a label on a conversation, or take it off. Safe to repeat."""

    roles = AGENTS
    _responses = {204: None, 401: _REFUSALS[401], 403: _REFUSALS[403], 404: _GONE}

    @extend_schema(operation_id="workspace_label", request=None, responses=_responses)
    def put(self, request: Request, conversation: UUID, label: int) -> Response:
        rates.count("chat", cast(Bearer, request.user).pk)
        services.attach_label(
            conversation_id=conversation,
            label_id=label,
            agent_id=_agent_id(request),
            now=timezone.now(),
        )
        return Response(status=204)

    @extend_schema(operation_id="workspace_unlabel", responses=_responses)
    def delete(self, request: Request, conversation: UUID, label: int) -> Response:
        rates.count("chat", cast(Bearer, request.user).pk)
        services.detach_label(conversation_id=conversation, label_id=label)
        return Response(status=204)
