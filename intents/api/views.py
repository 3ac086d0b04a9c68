"""Classification for programs: no conversation, no cache, nothing stored."""

import time

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from csplatform.roles import PROGRAMS
from intents import inference
from intents.api.serializers import ClassifyRequest, ClassifyResponse, shown


class ClassifyView(APIView):
    """Name the intents of texts."""

    roles = PROGRAMS

    @extend_schema(
        operation_id="classify",
        request=ClassifyRequest,
        responses={
            200: ClassifyResponse,
            400: OpenApiResponse(description="No texts, too many, or one that is too long."),
            401: OpenApiResponse(description="No token, or one that is broken or expired."),
            403: OpenApiResponse(description="Customers' tokens may not classify."),
        },
    )
    def post(self, request: Request) -> Response:
        """Rank the intents of each text, with calibrated probabilities.

        For staff and service tokens. Texts are answered as a customer's message would be
        understood now, by whatever answers now (`source`); nothing is stored or cached.
        """
        asked = ClassifyRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        started = time.perf_counter()
        predictions = inference.classify_many(asked.validated_data["texts"])
        elapsed_ms = (time.perf_counter() - started) * 1000
        return Response(
            {"results": [shown(one) for one in predictions], "elapsed_ms": round(elapsed_ms, 2)}
        )
