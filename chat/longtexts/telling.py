"""Which texts are long, and what of them is answered at once."""

from django.conf import settings

from training import analysis


def is_long(text: str) -> bool:
    """Whether a text is read as a whole behind the scenes."""
    return len(text) >= settings.CHAT_LONG_TEXT_CHARACTERS


def telling_part(text: str) -> str:
    """Return what an answer at once goes by: of a long text the part that says what is wanted."""
    return analysis.telling_part(text) if is_long(text) else text
