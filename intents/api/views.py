"""Classification for programs: no conversation, a cache where they ask for it."""

import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema

from csplatform.hot import HotView, most_bytes_of
from csplatform.roles import PROGRAMS
from csplatform.schema import RefusalBody
from csplatform.tokens import Bearer
from intents import inference, language, recall, records
from intents.api.serializers import MOST_TEXTS, ClassifyRequest, ClassifyResponse, shown

_TEXTS = ClassifyRequest()


class ClassifyView(HotView):
    """Name the intents of texts."""

    roles = PROGRAMS
    most_bytes = MOST_TEXTS * most_bytes_of(settings.CHAT_MESSAGE_MAX_CHARS)

    @extend_schema(
        operation_id="classify",
        request=ClassifyRequest,
        responses={
            200: ClassifyResponse,
            400: OpenApiResponse(RefusalBody, "No texts, too many, or one that is too long."),
            401: OpenApiResponse(RefusalBody, "No token, or one that is broken or expired."),
            403: OpenApiResponse(RefusalBody, "Customers' tokens may not classify."),
            413: OpenApiResponse(RefusalBody, "More than the longest list of texts takes."),
        },
    )
    async def post(self, request: HttpRequest, bearer: Bearer) -> HttpResponse:
        """Rank the intents of each text, with calibrated probabilities.

        For staff and service tokens. Texts are answered as a customer's message would be
        understood now, by whatever answers now (`source`). With `cache`, what was understood
        in the last two minutes is not computed again. Each leaves a prediction record.
        """
        asked = await self.sent(request, _TEXTS)
        texts: list[str] = asked["texts"]
        started = time.perf_counter()
        if asked["cache"]:
            understood = await recall.aclassify_many(texts, map(language.detect, texts))
            predictions = [one.prediction for one in understood]
            cached = [one.cached for one in understood]
        else:
            predictions = await inference.aclassify_many(texts)
            cached = [False] * len(texts)
        elapsed_ms = (time.perf_counter() - started) * 1000
        records.classified(
            texts, predictions, elapsed_ms=elapsed_ms, cached=cached, now=timezone.now()
        )
        return self.answer(
            {"results": [shown(one) for one in predictions], "elapsed_ms": round(elapsed_ms, 2)}
        )
