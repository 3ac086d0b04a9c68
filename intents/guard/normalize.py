"""One spelling for what customers write in many: width, script, spaces, repeated punctuation."""

import re
import unicodedata
from functools import cache

import opencc

# Format characters (zero-width joiners, byte order marks, direction marks) and control
# characters carry nothing that is read; tab and line breaks are spaces.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s+")
# "！！！！" says what "！" says. Digits and letters are left alone: 888 is not 8.
_REPEATED = re.compile(r"([^\w\s])\1+")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@cache
def _converter() -> opencc.OpenCC:
    """The process's one converter; `convert` reads its tables only, from any number of threads."""
    return opencc.OpenCC("t2s")


def simplified(text: str) -> str:
    """Return the text with traditional Chinese characters in their simplified form."""
    return _converter().convert(text) if _HAN.search(text) else text


def visible(text: str) -> str:
    """Return the text without characters that have no width and no meaning."""
    return _INVISIBLE.sub("", text)


def for_model(text: str) -> str:
    """Return the text as models are trained on it and asked about it.

    Unicode NFKC (full width to ASCII), simplified Chinese, one space for any
    white space, one mark for a run of the same mark. Case is kept. Applying it
    twice changes nothing more.
    """
    text = visible(unicodedata.normalize("NFKC", visible(text)))
    text = simplified(text)
    return _SPACES.sub(" ", _REPEATED.sub(r"\1", text)).strip()


def key(text: str) -> str:
    """Return what two spellings of one sentence share: the identity of an utterance.

    `for_model`, lower case, letters and digits only. A text that has neither, such
    as "？？" or an emoji, is its own key, so that it is not one with every other.
    """
    text = for_model(text).lower()
    return "".join(filter(str.isalnum, text)) or text
