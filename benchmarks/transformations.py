"""What customers do to a sentence without meaning anything else by it. No Django in here."""

import random
from collections.abc import Callable

import opencc

Transformation = Callable[[str, random.Random], str]

COURTESIES = ("请问", "麻烦问一下", "你好，", "您好，请问", "亲，", "你好，我想问一下", "问一下，")
EMOJI = ("😊", "🙏", "😭", "👍", "😂😂", "❤️", "🌹🌹🌹")
# Characters that sound alike, as input methods confuse them.
HOMOPHONES = dict(
    zip(
        "退货快递到发票单取消修改付款券价在的做坐那",
        "腿或块第道法飘但去小休该副宽卷家再得作座哪",
        strict=True,
    )
)
_traditional = opencc.OpenCC("s2t")


def courtesy(text: str, chance: random.Random) -> str:
    return chance.choice(COURTESIES) + text


def emoji(text: str, chance: random.Random) -> str:
    """Add one at the end, or in front of it."""
    picture = chance.choice(EMOJI)
    return f"{picture}{text}" if chance.random() < 0.3 else f"{text}{picture}"


def full_width(text: str, _chance: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def traditional(text: str, _chance: random.Random) -> str:
    return str(_traditional.convert(text))


def swap(text: str, chance: random.Random) -> str:
    """Swap two neighbours inside; shorter texts than four stay."""
    if len(text) < 4:
        return text
    at = chance.randrange(1, len(text) - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def homophone(text: str, chance: random.Random) -> str:
    """Write one character as another that sounds alike; a text without such stays."""
    places = [at for at, character in enumerate(text) if character in HOMOPHONES]
    if not places:
        return text
    at = chance.choice(places)
    return text[:at] + HOMOPHONES[text[at]] + text[at + 1 :]


TRANSFORMATIONS: dict[str, Transformation] = {
    "courtesy": courtesy,
    "emoji": emoji,
    "full width": full_width,
    "traditional": traditional,
    "swap": swap,
    "homophone": homophone,
}
