"""Files of messages: uploaded by customers and agents, and given to those who may read them.

A download needs the reader's token each time, in the header as everywhere: an address alone opens
nothing, so one that ends up in a log, a history or a mail gives nothing away. Pages fetch a file
and show it from memory (blob:).
"""

from typing import Any, ClassVar, cast
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import attachments
from chat.attachments.images import THUMBNAIL_TYPE
from chat.models import Attachment
from csplatform import rates
from csplatform.roles import AGENTS, CUSTOMERS, SUPERVISORS
from csplatform.schema import RefusalBody
from csplatform.tokens import Bearer

# Whatever a browser takes it for, nothing in it runs (CSP level 3, "sandbox").
_SANDBOX = "sandbox; default-src 'none'"
_SIGN_IN = OpenApiResponse(RefusalBody, "No access token, or it is broken or expired.")
_ABSENT = OpenApiResponse(RefusalBody, "There is none, or it is not for you.")
_TOO_FAST = OpenApiResponse(RefusalBody, "Too fast; see Retry-After.")


class AttachmentFrame(serializers.Serializer):
    """The part `attachments` of a message."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    width = serializers.IntegerField(allow_null=True, help_text="Pixels; of images only.")
    height = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(help_text="Of the file; it asks for a token, too.")
    thumbnail_url = serializers.CharField(allow_null=True, help_text="Of images only.")


class _Sent(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True)


class _Upload(APIView):
    """Upload one file, to be sent with a message later."""

    parser_classes = [MultiPartParser]

    def _uploaded(
        self, request: Request, *, uid: str = "", agent_id: int | None = None
    ) -> Response:
        rates.count("upload", cast(Bearer, request.user).pk)
        sent = _Sent(data=request.data)
        sent.is_valid(raise_exception=True)
        attachment = attachments.upload(
            file=sent.validated_data["file"], uid=uid, agent_id=agent_id, now=timezone.now()
        )
        return Response(attachments.frame(attachment), status=201)


_UPLOAD: dict[str, Any] = {
    "request": {"multipart/form-data": _Sent},
    "responses": {
        201: AttachmentFrame,
        400: OpenApiResponse(RefusalBody, "Empty, damaged, or refused by the virus scanner."),
        401: _SIGN_IN,
        409: OpenApiResponse(RefusalBody, "Too many files are not sent yet."),
        413: OpenApiResponse(RefusalBody, "Too many bytes or pixels."),
        415: OpenApiResponse(RefusalBody, "Not a type that is accepted; its content counts."),
        429: _TOO_FAST,
    },
}


class CustomerUpload(_Upload):
    """Upload one file, to be sent with a message later."""

    roles = CUSTOMERS

    @extend_schema(operation_id="attachment_upload", **_UPLOAD)
    def post(self, request: Request) -> Response:
        return self._uploaded(request, uid=cast(Bearer, request.user).uid)


class AgentUpload(_Upload):
    """Upload one file of an agent, to be sent with a message later."""

    roles = AGENTS

    @extend_schema(operation_id="workspace_attachment_upload", **_UPLOAD)
    def post(self, request: Request) -> Response:
        return self._uploaded(request, agent_id=cast(Bearer, request.user).user_id)


class _Download(APIView):
    """A file of a message, for those who may read the message."""

    roles = CUSTOMERS | AGENTS
    is_thumbnail: ClassVar[bool] = False

    def _answer(self, request: Request, attachment_id: UUID) -> HttpResponseBase:
        rates.count("download", cast(Bearer, request.user).pk)
        attachment = self._readable(cast(Bearer, request.user), attachment_id)
        etag = f'"{attachment.sha256[:32]}{"-thumbnail" if self.is_thumbnail else ""}"'
        # Asked again each time, so that what was taken back is gone; sent again only if need be.
        response = get_conditional_response(request._request, etag=etag)
        if response is None:
            content = attachments.content(attachment, thumbnail=self.is_thumbnail)
            content_type = THUMBNAIL_TYPE if self.is_thumbnail else attachment.content_type
            response = HttpResponse(content, content_type=content_type)
            shown = content_disposition_header(not attachment.is_image, attachment.name)
            response["Content-Disposition"] = shown or "attachment"
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        response["Content-Security-Policy"] = _SANDBOX
        response["X-Content-Type-Options"] = "nosniff"
        patch_vary_headers(response, ["Authorization"])
        return response

    @staticmethod
    def _readable(bearer: Bearer, attachment_id: UUID) -> Attachment:
        if bearer.user_id is None:
            return attachments.for_customer(attachment_id, uid=bearer.uid)
        is_supervisor = bool(bearer.roles & SUPERVISORS)
        return attachments.for_agent(
            attachment_id, agent_id=bearer.user_id, is_supervisor=is_supervisor
        )


class Content(_Download):
    """A file of a message, for those who may read the message."""

    @extend_schema(
        operation_id="attachment",
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            401: _SIGN_IN,
            404: _ABSENT,
            429: _TOO_FAST,
        },
    )
    def get(self, request: Request, attachment: UUID) -> HttpResponseBase:
        return self._answer(request, attachment)

    @extend_schema(
        operation_id="attachment_withdraw",
        responses={204: None, 401: _SIGN_IN, 404: _ABSENT, 429: _TOO_FAST},
    )
    def delete(self, request: Request, attachment: UUID) -> Response:
        """Delete a file of one's own that is not sent yet."""
        bearer = cast(Bearer, request.user)
        rates.count("upload", bearer.pk)
        attachments.withdraw(attachment, uid=bearer.uid, agent_id=bearer.user_id)
        return Response(status=204)


class Thumbnail(_Download):
    """The small copy of an image: WebP, at most 320 pixels on its longer side."""

    is_thumbnail = True

    @extend_schema(
        operation_id="attachment_thumbnail",
        responses={
            (200, THUMBNAIL_TYPE): OpenApiTypes.BINARY,
            401: _SIGN_IN,
            404: _ABSENT,
            429: _TOO_FAST,
        },
    )
    def get(self, request: Request, attachment: UUID) -> HttpResponseBase:
        return self._answer(request, attachment)
