"""Who would answer how: models and content on trial, beside what serves customers.

Nothing here leaves a trace: no record, no cache entry, no stored vector, no use of the process's
engine. What is opened for a trial runs on a thread that yields to everybody else.

`Contender` names who answers, `read` says what texts mean to him, and `open_contender` keeps
him open for long lists: decisions, reply variants and the nearest utterances are asked of that.
"""

from intents.trials.answers import Answered, variants
from intents.trials.contender import ACTIVE, Contender, ContenderUnavailable
from intents.trials.opened import Opened
from intents.trials.opening import close, open_contender, read

__all__ = [
    "ACTIVE",
    "Answered",
    "Contender",
    "ContenderUnavailable",
    "Opened",
    "close",
    "open_contender",
    "read",
    "variants",
]
