"""What the shop's codes are called on pages. The tables keep the codes: a shop brings its own."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

CATEGORIES = {
    "electronics": _("electronics"),
    "beauty": _("beauty"),
    "baby": _("mother and baby"),
    "home": _("home and living"),
    "clothing": _("clothing"),
}
LEVELS = {
    "silver": _("silver member"),
    "gold": _("gold member"),
    "platinum": _("platinum member"),
}
RULE_KINDS = {
    "price_protection": _("price protection"),
    "returns": _("returns"),
    "damage": _("damaged goods"),
    "refund": _("refunds"),
    "warranty": _("warranty"),
    "duty_limit": _("duty limits"),
    "shipping": _("shipping"),
    "dispatch": _("dispatch"),
    "free_shipping": _("free shipping"),
    "invoice": _("invoices"),
    "coupon": _("coupons"),
    "cancel": _("cancellation"),
}


def label(labels: Mapping[str, object], code: str) -> str:
    """Return what a code is called; an unknown one is its own name, an empty one a dash."""
    return str(labels.get(code, code)) or "—"
