"""REST of a conversation to keep: as a file, or by mail."""

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import access, services, tasks, transcripts
from chat.api.visits import REFUSALS, Which, uid_of
from csplatform import rates
from csplatform.roles import CUSTOMERS
from csplatform.schema import RefusalBody


class _File(Which):
    format = serializers.ChoiceField(list(transcripts.FORMATS), default="txt")


class _ByMail(Which):
    email = serializers.EmailField(max_length=254)


class Transcript(APIView):
    """What the customer could read, in the language of the request."""

    roles = CUSTOMERS

    @extend_schema(
        operation_id="conversation_transcript",
        parameters=[
            OpenApiParameter("conversation", str, required=True),
            OpenApiParameter("format", str, enum=list(transcripts.FORMATS)),
        ],
        responses={200: OpenApiTypes.BINARY, **REFUSALS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Return it as a file: UTF-8, the text with a byte order mark."""
        uid = uid_of(request)
        asked = _File(data=request.query_params)
        asked.is_valid(raise_exception=True)
        form = asked.validated_data["format"]
        conversation = access.of_customer(uid, asked.validated_data["conversation"])
        name, content = transcripts.written(conversation, form, now=timezone.now())
        response = HttpResponse(content, content_type=transcripts.FORMATS[form])
        response["Content-Disposition"] = content_disposition_header(True, name)  # noqa: FBT003
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "private, no-store"
        return response

    @extend_schema(
        operation_id="conversation_mail_transcript",
        request=_ByMail,
        responses={
            202: OpenApiResponse(_ByMail, "It will be on its way in a moment."),
            409: OpenApiResponse(RefusalBody, "No mail is set up."),
            **REFUSALS,
        },
    )
    def post(self, request: Request) -> Response:
        """Mail it to an address; MAIL_RATE by customer and by address of the network."""
        uid = uid_of(request)
        asked = _ByMail(data=request.data)
        asked.is_valid(raise_exception=True)
        conversation = access.of_customer(uid, asked.validated_data["conversation"])
        if not settings.EMAIL_URL:
            raise services.MailIsOff
        # A visitor gets a new uid as often as he likes: his network address counts, too.
        for who in (uid, str(request.META.get("REMOTE_ADDR", ""))):
            rates.count("mail", who)
        tasks.mail_transcript_soon(
            conversation_id=conversation.pk,
            email=asked.validated_data["email"],
            language=get_language() or settings.LANGUAGE_CODE,
        )
        return Response(asked.data, status=202)
