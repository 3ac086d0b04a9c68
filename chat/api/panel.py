"""What stands beside the conversation in the agents' workspace."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import casefile
from csplatform.roles import AGENTS
from csplatform.schema import RefusalBody


class Panel(APIView):
    """The story of a conversation: customer, orders and promises, what the bot understood."""

    roles = AGENTS

    @extend_schema(
        operation_id="workspace_panel",
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, "As in docs/protocol.md."),
            401: OpenApiResponse(RefusalBody, "No access token, or it is broken or expired."),
            404: OpenApiResponse(RefusalBody, "There is no such conversation."),
        },
    )
    def get(self, request: Request, conversation: UUID) -> Response:
        return Response(casefile.of(conversation, timezone.now()))
