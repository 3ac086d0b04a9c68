"""A reply as a customer of the demo shop would read it, while it is being written."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from chat.replies import filled
from intents.models import Language
from intents.services import validate_reply_text
from knowledge import shop
from knowledge.models import Customer

CUSTOMERS_OFFERED = 20


def customers_to_try() -> list[Customer]:
    """Return some customers who have ordered something, for a choice."""
    return list(
        Customer.objects.filter(orders__isnull=False).distinct().order_by("uid")[:CUSTOMERS_OFFERED]
    )


def facts_of(uid: str, language: str) -> dict[str, str]:
    """Return the reply variables of a customer, as the bot fills them."""
    known = shop.facts_for(uid, language, timezone.now()) if uid else {}
    return {"agent_hours": settings.CHAT_AGENT_HOURS, **known}


@require_POST
def preview_reply(request: HttpRequest) -> JsonResponse:
    """Fill in a reply that is not saved yet.

    POST text, language ("zh" or "en"), customer (uid; empty: the first). Answers
    {"text", "customer", "customers": [[uid, name], …]}, or {"errors": [sentence, …]}.
    """
    if not request.user.has_perm("intents.view_reply"):
        raise PermissionDenied
    text, language = request.POST.get("text", ""), request.POST.get("language", "")
    try:
        validate_reply_text(text)
    except ValidationError as error:
        return JsonResponse({"errors": error.messages})
    customers = customers_to_try()
    uid = request.POST.get("customer") or (customers[0].uid if customers else "")
    spoken = language if language in Language.values else Language.CHINESE.value
    answer: dict[str, Any] = {
        "text": filled(text, facts_of(uid, spoken)),
        "customer": uid,
        "customers": [[customer.uid, customer.name] for customer in customers],
    }
    return JsonResponse(answer)
