"""Of what the bot answered: how often people were called for after all, by intent."""

from django.db.models import Count

from chat.models import Message
from chat.reports.period import Period


def answered(period: Period) -> dict[str, int]:
    """Return in how many conversations the bot spoke of each intent in a period. One query."""
    lines = Message.objects.filter(
        sender=Message.Sender.BOT, sent_at__gte=period.start, sent_at__lt=period.end
    ).exclude(intent="")
    return dict(
        lines.order_by().values_list("intent").annotate(Count("conversation", distinct=True))
    )
