"""The whole story beside a conversation, for the agent who takes it over. Reads only.

As many queries for a customer of ten years as for one of today: whatever could grow is cut.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q
from django.utils.translation import get_language

from chat import mentions
from chat.access import NoSuchConversation
from chat.longtexts import shown
from chat.mentions import Kind
from chat.models import Conversation, Handover, Message
from chat.sockets import name_of
from csplatform.tokens import ANONYMOUS_PREFIX
from intents.models import Language, PredictionRecord
from knowledge import labels, promises
from knowledge.models import Customer, Order, OrderLine, Product, Rule

File = dict[str, Any]

# The newest of each; more are only counted, or said to be there.
LINES_READ = 200
ORDERS_SHOWN = 20
EARLIER_SHOWN = 10
TURNS_SHOWN = 20
HANDOVERS_SHOWN = 10
MENTIONS_SHOWN = 20
_EXCERPT = 140
_READ_OF_LINES = (
    *("conversation", "seq", "sender", "text", "sent_at"),
    *("answers", "intent", "decision", "probability"),
)
# A shop has some dozens.
_MOST_RULES = 200


def of(conversation_id: UUID, now: datetime) -> File:
    """Return what is known about a conversation and its customer. At most 11 queries.

    Args:
        now: Says which promises are still open.

    Raises:
        NoSuchConversation: It does not exist. Who may read it was checked by the caller.
    """
    conversation = (
        Conversation.objects.select_related("customer", "agent", "queue")
        .filter(pk=conversation_id)
        .first()
    )
    if conversation is None:
        raise NoSuchConversation
    lines = list(
        conversation.messages.filter(sender__in=(Message.Sender.CUSTOMER, Message.Sender.BOT))
        .only(*_READ_OF_LINES)
        .order_by("-seq")[:LINES_READ]
    )[::-1]
    said = [line for line in lines if line.sender == Message.Sender.CUSTOMER]
    orders = _orders_of(conversation.customer)
    named = list(_mentioned(said, orders[:ORDERS_SHOWN]))
    return {
        "conversation": str(conversation.pk),
        "last_seq": conversation.last_seq,
        "uid": conversation.uid,
        "is_visitor": conversation.uid.startswith(ANONYMOUS_PREFIX),
        "customer": _customer(conversation.customer),
        "earlier": _earlier(conversation),
        "orders": _shown_orders(orders, named, now),
        "has_more_orders": len(orders) > ORDERS_SHOWN,
        "mentions": named[-MENTIONS_SHOWN:][::-1],
        "turns": _turns(lines, said),
        "handovers": _handovers(conversation),
        "analyses": shown.found_in({line.pk: line.seq for line in said}),
    }


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rstrip()}…"


# --- Who it is ----------------------------------------------------------------------------


def _customer(customer: Customer | None) -> File | None:
    if customer is None:
        return None
    return {
        "name": customer.name,
        "level": labels.label(labels.LEVELS, customer.level) if customer.level else "",
        "language": customer.language,
        "country": customer.country,
        "joined_on": customer.joined_on.isoformat(),
    }


def _earlier(conversation: Conversation) -> File:
    """The customer's other conversations: the newest, and whether there are more."""
    others = (
        Conversation.objects.filter(uid=conversation.uid)
        .exclude(pk=conversation.pk)
        .select_related("agent", "disposition", "rating")
        .order_by("-opened_at")
    )
    found = list(others[: EARLIER_SHOWN + 1])
    return {
        "conversations": [
            {
                "conversation": str(one.pk),
                "opened_at": one.opened_at.isoformat(),
                "status": one.status,
                "agent": name_of(one.agent),
                "messages": one.last_seq,
                "disposition": one.disposition.shown_name if one.disposition else "",
                "score": one.rating.score if hasattr(one, "rating") else None,
            }
            for one in found[:EARLIER_SHOWN]
        ],
        "has_more": len(found) > EARLIER_SHOWN,
    }


# --- What was bought ------------------------------------------------------------------------


def _orders_of(customer: Customer | None) -> list[Order]:
    if customer is None:
        return []
    lines = OrderLine.objects.select_related("product").order_by("pk")
    orders = (
        Order.objects.filter(customer=customer)
        .select_related("customer")
        .prefetch_related(Prefetch("lines", lines))
        .order_by("-placed_at", "-pk")
    )
    return list(orders[: ORDERS_SHOWN + 1])


def _shown_orders(orders: Sequence[Order], named: Sequence[File], now: datetime) -> list[File]:
    """Return the orders, newest first, and which of them is spoken of.

    That is the one named last; where none was, the bot and we take it to be the newest.
    """
    if not orders:
        return []
    rules = list(Rule.objects.order_by("pk")[:_MOST_RULES])
    spoken_of = next((one["order"] for one in reversed(named) if one["order"]), "")
    return [
        {
            "number": order.number,
            "status": order.status,
            "status_name": order.get_status_display(),
            "is_named": order.number == spoken_of,
            "placed_at": order.placed_at.isoformat(),
            "shipped_at": _moment(order.shipped_at),
            "delivered_at": _moment(order.delivered_at),
            "carrier": order.carrier,
            "tracking_number": order.tracking_number,
            "total": f"{order.total:,.2f}",
            "duty": f"{order.duty:,.2f}" if order.duty else "",
            "currency": order.currency,
            "lines": [
                {
                    "sku": line.product.sku,
                    "name": _name(line.product),
                    "quantity": line.quantity,
                    "unit_price": f"{line.unit_price:,.2f}",
                }
                for line in order.lines.all()
            ],
            "promises": [_promise(one) for one in promises.of_order(order, rules, now)],
        }
        for order in orders[:ORDERS_SHOWN]
    ]


def _promise(promise: promises.Promise) -> File:
    rule = promise.rule
    return {
        "kind": labels.label(labels.RULE_KINDS, promise.kind),
        "until": promise.until.isoformat(),
        "state": promise.state,
        "rule": rule.code if rule else "",
        "text": (rule.text_en if _in_english() else rule.text_zh) if rule else "",
        "product": _name(promise.product) if promise.product else "",
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _name(product: Product) -> str:
    return product.name_en if _in_english() else product.name_zh


def _in_english() -> bool:
    return (get_language() or "").startswith(Language.ENGLISH)


# --- What was said --------------------------------------------------------------------------


def _mentioned(said: Sequence[Message], orders: Iterable[Order]) -> Iterator[File]:
    """Yield what the customer named, in the order in which it was said, each thing once."""
    by_code: dict[str, Order] = {order.number.upper(): order for order in orders}
    parcels = {order.tracking_number.upper(): order for order in by_code.values()}
    codes = {line.seq: mentions.codes(line.text) for line in said}
    unknown = {code for each in codes.values() for code in each} - by_code.keys() - parcels.keys()
    products: Mapping[str, Product] = (
        {product.sku.upper(): product for product in Product.objects.filter(sku__in=unknown)}
        if unknown
        else {}
    )
    seen: set[tuple[str, str]] = set()
    for line in said:
        found = []
        for code in codes[line.seq]:
            if code in by_code:
                found.append((Kind.ORDER, code, by_code[code].number, ""))
            elif code in parcels:
                found.append((Kind.TRACKING, code, parcels[code].number, ""))
            elif code in products:
                found.append((Kind.PRODUCT, code, "", _name(products[code])))
            elif mentions.is_order_number(code):
                found.append((Kind.NUMBER, code, "", ""))
        found += [(Kind.AMOUNT, one.text, "", "") for one in mentions.amounts(line.text)]
        for day in mentions.days(line.text, line.sent_at):
            found.append((Kind.DATE, day.text, "", day.day.isoformat() if day.day else ""))
        for kind, text, order, meaning in found:
            if (kind, text) not in seen:
                seen.add((kind, text))
                yield {
                    "kind": kind,
                    "text": text,
                    "seq": line.seq,
                    "order": order,
                    "meaning": meaning,
                }


def _turns(lines: Sequence[Message], said: Sequence[Message]) -> list[File]:
    """Return what was understood of each message and what came of it, newest first."""
    answers = {line.answers_id: line for line in lines if line.answers_id}
    latest = said[-TURNS_SHOWN:]
    records = {
        record.message: record
        for record in PredictionRecord.objects.filter(message__in=[one.pk for one in latest])
    }
    turns = []
    for message in reversed(latest):
        record, answer = records.get(message.pk), answers.get(message.pk)
        if record is None and answer is None:
            continue  # read by an agent, or by nobody yet
        turns.append(
            {
                "seq": message.seq,
                "text": _excerpt(message.text),
                "intent": record.intent if record else answer.intent if answer else "",
                "probability": record.probability if record else answer and answer.probability,
                "decision": record.decision if record else answer.decision if answer else "",
                "outcome": record.outcome if record else "",
                "meant": record.meant if record else "",
                "rating": record.rating if record else None,
                "answer": _excerpt(answer.text) if answer else "",
                "answer_seq": answer.seq if answer else None,
            }
        )
    return turns


def _handovers(conversation: Conversation) -> list[File]:
    """Return how it came to people, newest first, and what else of this customer waits."""
    found = (
        Handover.objects.filter(
            Q(conversation=conversation)
            | Q(conversation__uid=conversation.uid, ended_at__isnull=True)
        )
        .select_related("agent", "queue")
        .order_by("-requested_at", "-pk")
    )
    return [
        {
            "conversation": str(one.conversation_id),
            "requested_at": one.requested_at.isoformat(),
            "because": one.because,
            "intent": one.intent,
            "queue": one.queue.name if one.queue else "",
            "note": one.note,
            "summary": one.summary,
            "agent": name_of(one.agent),
            "is_open": one.ended_at is None,
        }
        for one in found[:HANDOVERS_SHOWN]
    ]
