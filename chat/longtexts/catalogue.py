"""What the shop has names for, as the reading of texts wants it."""

import threading
import time

from knowledge.models import Order, Product
from training import analysis
from training.analysis import Catalogue

_EVERY_S = 60.0
_MOST = 20_000
# Newest orders, whose numbers show what an order number looks like here.
_EXAMPLES = 20
_lock = threading.Lock()
_read: tuple[float, Catalogue] | None = None  # time.monotonic() when, and what


def current_catalogue() -> Catalogue:
    """Return the shop's products, as of a minute ago at most."""
    global _read
    with _lock:
        now = time.monotonic()
        if _read is None or now - _read[0] > _EVERY_S:
            _read = now, _catalogue()
        return _read[1]


def forget() -> None:
    """Read the products again with the next text."""
    global _read
    with _lock:
        _read = None


def _catalogue() -> Catalogue:
    rows = Product.objects.order_by("pk").values_list("sku", "name_zh", "name_en")[:_MOST]
    return Catalogue(
        products=tuple(
            analysis.Product(sku, tuple(name for name in dict.fromkeys(names) if name))
            for sku, *names in rows
        ),
        order_examples=tuple(
            Order.objects.order_by("-pk").values_list("number", flat=True)[:_EXAMPLES]
        ),
    )
