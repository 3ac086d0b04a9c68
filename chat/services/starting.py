"""What agents find ready in a new installation; afterwards it is staff's."""

from django.db import transaction

from chat import starter
from chat.models import CannedReply, Disposition
from chat.services.canned import check


@transaction.atomic
def load_starter() -> int:
    """Load canned replies and dispositions while there are none of their kind; safe to repeat.

    Returns:
        How many rows were added.

    Raises:
        ValidationError: A file is wrong; nothing is loaded.
    """
    loaded = 0
    if not Disposition.objects.exists():
        for row in starter.rows("dispositions"):
            Disposition.objects.create(**{**row, "position": int(row["position"])})
            loaded += 1
    if not CannedReply.objects.filter(owner=None).exists():
        for row in starter.rows("canned_replies"):
            reply = CannedReply(**row)
            reply.full_clean()
            check(reply)
            reply.save()
            loaded += 1
    return loaded
