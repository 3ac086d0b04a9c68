"""Webhooks: other programs are told what happens, signed, at least once, never at a private address.

`outbox` writes what shall be told in the transaction of the change itself; `delivery`, called
by the worker, sends it and keeps at it. docs/webhooks.md is what receivers read.
"""

from chat.webhooks.delivery import deliver_next
from chat.webhooks.endpoints import change, create, rotate_secret, switch_off, switch_on
from chat.webhooks.kinds import KINDS, TOLD_OF
from chat.webhooks.outbox import forget_old, ping, publish, redeliver

__all__ = [
    "KINDS",
    "TOLD_OF",
    "change",
    "create",
    "deliver_next",
    "forget_old",
    "ping",
    "publish",
    "redeliver",
    "rotate_secret",
    "switch_off",
    "switch_on",
]
