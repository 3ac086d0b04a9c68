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
# Pictures say how a customer feels, not what he wants.
_PICTURES = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\u20e3]+"
)
# How people begin before they say what they want; at least three characters or two words must
# follow, or it is a greeting. 亲 is also the beginning of 亲戚, so it needs a mark after it.
_COURTESY = re.compile(
    r"""(?:(?:
        你好 | 您好 | 哈喽 | 亲爱的 | 打扰一下 | 亲们?(?=[\s,，。.!！~～])
        | (?:麻烦|请|我?想要?)?问[一]?下 | 我?想请问[一]?下? | 请问
        | \b(?:hi|hello|hey|excuse\ me|please)\b
      )[\s,，。.!！~～:：]*)+
      (?=[\u3400-\u9fff]{3} | \w+\W+\w)""",
    re.IGNORECASE | re.VERBOSE,
)
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

    One spelling (`spelled`), without emoji, and without the courtesies before what is wanted
    ("你好，请问", "excuse me"): neither moves what a text means. A text that is nothing else is
    left as it is. Applying it twice changes nothing more.
    """
    text = spelled(text)
    bare = _SPACES.sub(" ", _REPEATED.sub(r"\1", _PICTURES.sub(" ", text))).strip()
    while (begun := _COURTESY.match(bare)) is not None:
        bare = bare[begun.end() :]
    return bare or text


def spelled(text: str) -> str:
    """Return the text in one spelling, every word of it kept.

    Unicode NFKC (full width to ASCII), simplified Chinese, one space for any
    white space, one mark for a run of the same mark. Case is kept. Applying it
    twice changes nothing more.
    """
    text = visible(unicodedata.normalize("NFKC", visible(text)))
    text = simplified(text)
    return _SPACES.sub(" ", _REPEATED.sub(r"\1", text)).strip()


def key(text: str) -> str:
    """Return what two spellings of one sentence share: the identity of an utterance.

    `spelled`, lower case, letters and digits only. A text that has neither, such
    as "？？" or an emoji, is its own key, so that it is not one with every other.
    """
    text = spelled(text).lower()
    return "".join(filter(str.isalnum, text)) or text
