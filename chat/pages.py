"""The pages of customers: the chat, and the demo shop that shows it beside an order."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from csplatform import tokens
from csplatform.languages import in_asked_language
from csplatform.roles import ANYONE, roles_required
from knowledge.models import Customer, Order, Product

# The demo shop shows a handful of each: enough to meet every status of an order.
_CUSTOMERS = 8
_PRODUCTS = 8
_SIGNED_FOR_S = 24 * 3600
# How content a customer was, from 1 to 5.
_SCORES = (_("Very unhappy"), _("Unhappy"), _("All right"), _("Happy"), _("Very happy"))
_EVERY = 7  # product by SKU, so that all categories come up


def language_of_page() -> str:
    """Return the language in which customers are answered on this page: "zh" or "en"."""
    return "en" if (get_language() or "").startswith("en") else "zh"


@roles_required(ANYONE)
@in_asked_language
@require_safe
@never_cache
def customer_page(request: HttpRequest) -> HttpResponse:
    """The chat, for whoever this browser is: a visitor, or the customer it was signed in as."""
    return render(request, "chat/customer_page.html", chat_context())


@roles_required(ANYONE)
@in_asked_language
@require_safe
@never_cache
def demo_shop(request: HttpRequest) -> HttpResponse:
    """A shop of made-up people: choose one (`?as=C1001`), and the chat knows his order.

    Here the shop's server and ours are one, so the page signs the uid itself. With a
    real shop's secret that would let anybody in as anybody: DEMO_SHOP is then off.
    """
    if not settings.DEMO_SHOP:
        raise Http404
    offered = featured(
        Customer.objects.filter(orders__isnull=False)
        .distinct()
        .order_by("uid")
        .prefetch_related("orders")[: _CUSTOMERS * 8]
    )
    chosen = next((one for one in offered if one.uid == request.GET.get("as")), None)
    context: dict[str, Any] = {
        "chat_language": language_of_page(),
        "shop_name": settings.SHOP_NAME,
        "customers": offered,
        "products": Product.objects.filter(stock__gt=0).order_by("sku")[
            : _PRODUCTS * _EVERY : _EVERY
        ],
    }
    if chosen is not None:
        expires = int(timezone.now().timestamp()) + _SIGNED_FOR_S
        context |= {
            "customer": chosen,
            "keep_query": urlencode({"as": chosen.uid}),  # when the language is switched
            "signature": tokens.sign(chosen.uid, expires),
            "expires": expires,
            "orders": Order.objects.filter(customer=chosen)
            .order_by("-placed_at")
            .prefetch_related("lines__product")[:3],
        }
    return render(request, "chat/demo_shop.html", context)


def featured(customers: Iterable[Customer]) -> list[Customer]:
    """Choose the customers to offer: as many stories as possible, Chinese before English ones.

    A story is the status of somebody's latest order; each comes once per language.
    """
    stories: dict[tuple[str, str], Customer] = {}
    for customer in customers:
        latest = max(customer.orders.all(), key=lambda order: order.placed_at)
        customer.latest_order = latest  # type: ignore[attr-defined]  # for the page
        stories.setdefault((customer.language, latest.status), customer)
    chinese = [one for (language, _status), one in stories.items() if language == "zh"]
    others = [one for (language, _status), one in stories.items() if language != "zh"]
    few = _CUSTOMERS - min(len(others), _CUSTOMERS // 3)
    return (chinese[:few] + others)[:_CUSTOMERS]


def chat_context() -> dict[str, Any]:
    """What templates/chat/_chat.html needs."""
    return {
        "chat_language": language_of_page(),
        "message_max_chars": settings.CHAT_MESSAGE_MAX_CHARS,
        "shop_name": settings.SHOP_NAME,
        "mail_is_set_up": bool(settings.EMAIL_URL),
        "scores": [*enumerate(_SCORES, start=1)],
    }
