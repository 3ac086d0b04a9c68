"""Which of our two languages a text is in: Chinese, English, or neither.

No trained model: those for many languages are unsure about "thx" and "wheres my oder",
the very texts that customers write. Scripts decide first; a text in Latin letters is
English unless words or letters of another language outweigh its English ones.
"""

import re
import unicodedata
from pathlib import Path

from intents.guard.normalize import visible
from intents.models import Language

NEITHER = ""

# Addresses and codes (an order number, "SKU-12") are in no language.
_CODES = re.compile(
    r"(?i:https?://[!-~]+|www\.[!-~]+|(?<![\w.+-])[\w.+-]{1,64}@[\w.-]+)|\b[\w-]*\d[\w-]*\b",
    re.ASCII,
)
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# の is common in Chinese brand names and says nothing.
_HIRAGANA = re.compile("(?!の)[\u3041-\u309f]")
_KATAKANA = re.compile("[\u30a1-\u30fa\uff66-\uff9d]")
_LATIN_WORD = re.compile("[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]+(?:['\u2019][a-z]+)?")
# Characters that Japanese texts do not use: one is enough to say "this is Chinese".
_CHINESE_ONLY = frozenset("吗呢吧嘛啊呀哦啦哪您你们們这這那嗎麼么咱啥咋没沒还還给給什谁誰怎")
# Words of grammar: what a mixed text has of them tells which language carries it.
_CHINESE_GRAMMAR = _CHINESE_ONLY | frozenset("的了我是不有要在被把想能会會可请請到从從和跟一")
_ENGLISH_GRAMMAR = frozenset(
    [
        "i",
        "i'm",
        "my",
        "me",
        "you",
        "your",
        "we",
        "it",
        "is",
        "are",
        "was",
        "do",
        "does",
        "did",
        "don't",
        "can",
        "could",
        "will",
        "would",
        "have",
        "has",
        "how",
        "what",
        "when",
        "where",
        "why",
        "who",
        "which",
        "the",
        "an",
        "to",
        "of",
        "for",
        "from",
        "with",
        "in",
        "on",
        "at",
        "this",
        "that",
        "not",
        "and",
        "or",
    ]
)
_ENGLISH_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz'\u2019")
# Letters that English borrows: café, naïve, résumé, jalapeño.
_BORROWED = frozenset("éèêëïöüñçáàâôíó")


def _known_words() -> dict[str, frozenset[str]]:
    words: dict[str, frozenset[str]] = {}
    path = Path(__file__).with_name("function_words.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        language, colon, listed = line.partition(": ")
        if colon and not line.startswith("#"):
            words[language] = words.get(language, frozenset()) | frozenset(listed.split())
    return words


_OTHERS = _known_words()
_ENGLISH = _OTHERS.pop("English")


# An order number, a tracking number, an amount: digits, perhaps with letters or signs.
_CODE = re.compile(r"[#(]?(?=[\w./:-]*\d)[\w./:-]+[),.;]?", re.ASCII)


def is_code(text: str) -> bool:
    """Whether a text is a number or code alone, which is in no language of its own."""
    words = text.split()
    return bool(words) and all(map(_CODE.fullmatch, words))


def detect(text: str, default: str = NEITHER) -> str:
    """Return the language that a text is to be answered in: "zh", "en" or "" for neither.

    Chinese: it has Chinese characters (simplified or traditional), and no other language
    carries them. Of a mixed text English has the grammar only if it has two English function words
    at least and no Chinese one: "how to use 优惠券" is English, "我的order什么时候ship" Chinese.
    English: Latin letters without more evidence for another language than for English.
    Neither: Japanese, Korean, French and so on, emoji or punctuation alone, nothing.

    `default` is for a text of digits or codes only, such as an order number; it is in no
    language and is answered in the conversation's own, which the caller passes.
    """
    text = visible(unicodedata.normalize("NFC", text))
    words_only = _CODES.sub(" ", unicodedata.normalize("NFKC", text))
    han = len(_HAN.findall(words_only))
    letters = sum(map(str.isalpha, words_only))
    if not letters:
        # Stars are what is left of a sensitive word.
        return default if "*" in text or any(map(str.isalnum, text)) else NEITHER
    words = [word.lower() for word in _LATIN_WORD.findall(words_only)]
    latin = sum(map(len, words))
    foreign = letters - han - latin
    if han:
        return _of_han(words_only, han, foreign, words)
    return _of_latin(words) if latin > foreign else NEITHER


def _of_han(text: str, han: int, foreign: int, words: list[str]) -> str:
    """Decide on a text with Chinese characters, which Japanese and Korean write as well."""
    if not _CHINESE_ONLY.intersection(text) and (
        _HIRAGANA.search(text) or len(_KATAKANA.findall(text)) > 2 * han
    ):
        return NEITHER
    if foreign > 2 * han:
        return NEITHER
    if len(_ENGLISH_GRAMMAR.intersection(words)) >= 2 and not _CHINESE_GRAMMAR.intersection(text):
        return Language.ENGLISH
    return Language.CHINESE


def _of_latin(words: list[str]) -> str:
    """Weigh the words: one that is known counts 1, one with letters that English lacks as well."""
    english = sum(word in _ENGLISH for word in words)
    if not english and len(words) >= 3:
        return NEITHER  # English of that length has at least one of its common words
    strange = sum(bool(set(word) - _ENGLISH_LETTERS - _BORROWED) for word in words)
    borrowed = sum(bool(set(word) & _BORROWED) for word in words)
    other = max(sum(word in known for word in words) for known in _OTHERS.values())
    return Language.ENGLISH if english >= other + strange + borrowed / 2 else NEITHER
