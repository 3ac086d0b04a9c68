"""Which queue a conversation waits in."""

from chat.models import Queue


def queue_for(*, language: str, intent: str) -> Queue | None:
    """Return the first queue that fits, by position; None where there is none at all.

    Args:
        language: The conversation's.
        intent: Intent.code of what the customer wants, "" when nobody knows.
    """
    queues = list(Queue.objects.prefetch_related("intents"))
    fitting = [queue for queue in queues if _fits(queue, language, intent)]
    # Nobody may be lost because no queue was made for him: then the last one has him.
    return next(iter(fitting or queues[-1:]), None)


def _fits(queue: Queue, language: str, intent: str) -> bool:
    intents = {one.code for one in queue.intents.all()}
    return (not queue.languages or language in queue.languages) and (
        not intents or intent in intents
    )
