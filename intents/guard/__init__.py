"""What stands between a customer's text and everything else; nothing here needs a model.

All but `check` and `mask` is pure: what imports them (training, benchmarks) needs no Django
application, so these two load what they use when they are called.
"""

from typing import TYPE_CHECKING, Any

from intents.guard.sensitive import Masked

if TYPE_CHECKING:
    from intents.guard.injection import Blocked

__all__ = ["Blocked", "Masked", "check", "mask"]


def check(text: str) -> None:
    """Refuse SQL and script injection, before any other work on the text.

    Raises:
        Blocked: It looks like an attack (code "blocked", 400).
    """
    from intents.guard import injection

    injection.check(text)


def mask(text: str) -> Masked:
    """Star out the sensitive words of staff, as they are now.

    The text keeps its length. May look into the database (intents.content):
    coroutines call it through `csplatform.threads.in_thread`.
    """
    from intents import content

    return content.current().masker.mask(text)


def __getattr__(name: str) -> Any:
    if name == "Blocked":
        from intents.guard.injection import Blocked

        return Blocked
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
