"""REST for what was found in long texts: for agents, and for programs with a service token."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat.longtexts import shown
from csplatform.roles import AGENTS, Role
from csplatform.schema import RefusalBody
from training.analysis import Kind
from training.models import TextAnalysis

READERS = AGENTS | {Role.SERVICE}
_REFUSALS = {
    401: OpenApiResponse(RefusalBody, "No access token, or it is broken or expired."),
    403: OpenApiResponse(RefusalBody, "Not for this role."),
}


class MoodFrame(serializers.Serializer):
    """How somebody who writes so feels."""

    score = serializers.FloatField(help_text="-1 negative to 1 positive.")
    negative = serializers.FloatField(help_text="Calibrated probability.")
    positive = serializers.FloatField(help_text="Calibrated probability.")


class EntityFrame(serializers.Serializer):
    """A piece of the text that names something."""

    kind = serializers.ChoiceField([str(kind) for kind in Kind])
    text = serializers.CharField()
    start = serializers.IntegerField(help_text="In code points of the message's text.")
    end = serializers.IntegerField()
    value = serializers.DictField(help_text="What it means, by kind: docs/analysis.md.")


class SentenceFrame(serializers.Serializer):
    """One sentence."""

    start = serializers.IntegerField()
    end = serializers.IntegerField()
    ranked = serializers.ListField(
        child=serializers.ListField(), help_text="[[intent code, probability], …], best first."
    )
    mood = MoodFrame(allow_null=True)
    is_wish = serializers.BooleanField()
    is_question = serializers.BooleanField()


class SummaryFrame(serializers.Serializer):
    """The text in a few lines."""

    asked = serializers.ListField(child=serializers.ListField())
    orders = serializers.ListField(child=serializers.CharField())
    parcels = serializers.ListField(child=serializers.CharField())
    products = serializers.ListField(child=serializers.CharField())
    times = serializers.ListField(child=serializers.ListField())
    amounts = serializers.ListField(child=serializers.ListField())
    wishes = serializers.ListField(child=serializers.ListField())


class FindingsFrame(serializers.Serializer):
    """All that was found."""

    entities = EntityFrame(many=True)
    sentences = SentenceFrame(many=True)
    mood = MoodFrame(allow_null=True)
    summary = SummaryFrame()
    language = serializers.CharField()
    model_version = serializers.CharField()


class AnalysisFrame(serializers.Serializer):
    """How far the reading of one message is, and what was found."""

    seq = serializers.IntegerField()
    status = serializers.ChoiceField(TextAnalysis.Status.choices)
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    findings = FindingsFrame(allow_null=True)


class AnalysesFrame(serializers.Serializer):
    """Those of one conversation."""

    analyses = AnalysisFrame(many=True)


class Analysis(APIView):
    """What was found in one message."""

    roles = READERS

    @extend_schema(
        operation_id="workspace_analysis",
        responses={
            200: AnalysisFrame,
            404: OpenApiResponse(RefusalBody, "No such message, or it is not read as a whole."),
            **_REFUSALS,
        },
    )
    def get(self, request: Request, conversation: UUID, seq: int) -> Response:
        return Response(shown.of_message(conversation, seq))


class Analyses(APIView):
    """What was found in the newest long messages of a conversation."""

    roles = READERS

    @extend_schema(
        operation_id="workspace_analyses",
        responses={
            200: AnalysesFrame,
            404: OpenApiResponse(RefusalBody, "There is no such conversation."),
            **_REFUSALS,
        },
    )
    def get(self, request: Request, conversation: UUID) -> Response:
        return Response({"analyses": shown.of_conversation(conversation)})
