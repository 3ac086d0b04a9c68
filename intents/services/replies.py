"""Replies and the variables that they may hold."""

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from intents.models import Intent, Language, Reply
from intents.services.validation import in_field, validate_template
from intents.services.versions import content_changed

# What a reply may say about the customer; knowledge.shop.facts_for fills them. A reply whose
# variable is unknown for a customer is left out, so that nobody reads "{order_number}".
VARIABLES: dict[str, str | Promise] = {
    "customer_name": _("the customer's name"),
    "order_number": _("number of the latest order"),
    "order_status": _("how far the latest order is"),
    "carrier": _("carrier of the latest order"),
    "tracking_number": _("tracking number of the latest order"),
    "product_name": _("first product of the latest order"),
    "order_total": _("amount of the latest order"),
    "currency": _("currency of that amount"),
    "placed_on": _("day of the latest order"),
    "days_since_order": _("days since the latest order"),
    "agent_hours": _("hours of the human agents"),
}

# What the platform knows of itself, without a customer.
_OF_NOBODY = {"agent_hours"}


def for_everybody() -> Q:
    """Return the condition of replies in use that any customer may get: without his data."""
    of_customers = Q()
    for variable in VARIABLES.keys() - _OF_NOBODY:
        of_customers |= Q(text__contains=f"{{{variable}}}")
    return Q(is_active=True) & ~of_customers


def not_for_everybody(intent: Intent) -> list[Language]:
    """Return the languages whose every reply in use needs data of the customer.

    Somebody without an order gets no reply there, but the one in the other language.
    """
    replies = Reply.objects.filter(intent=intent)
    spoken = set(replies.filter(is_active=True).values_list("language", flat=True))
    to_everybody = set(replies.filter(for_everybody()).values_list("language", flat=True))
    return [language for language in Language if language in spoken - to_everybody]


def validate_reply_text(text: str) -> None:
    """Accept a reply's text, or say what is wrong with it.

    Raises:
        ValidationError: Empty; a brace without its partner; a variable that does not
            exist (the message names it and lists those that do).
    """
    validate_template(text, VARIABLES)


@transaction.atomic
def save_reply(reply: Reply) -> Reply:
    """Create or save one reply.

    Raises:
        ValidationError: A field is wrong; see `validate_reply_text`.
    """
    reply.full_clean()
    with in_field("text"):
        validate_reply_text(reply.text)
    reply.save()
    content_changed(understanding=False)
    return reply


@transaction.atomic
def delete_reply(reply: Reply) -> None:
    """Delete one reply; its history stays."""
    reply.delete()
    content_changed(understanding=False)
