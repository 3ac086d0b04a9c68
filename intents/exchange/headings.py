"""The headings of our tables, in both languages: part of the file format, not of translations."""

CHINESE = {
    "intent": "意图",
    "language": "语言",
    "text": "句子",
    "family": "组",
    "split": "用途",
    "word": "敏感词",
    "category": "类别",
    "is_active": "启用",
    "note": "备注",
}
ENGLISH = {"is_active": "active"}
# Of the allowed phrases, whose text is a phrase and no sentence.
PHRASE = "短语"
_NAMES = {
    **{chinese: name for name, chinese in CHINESE.items()},
    **{english: name for name, english in ENGLISH.items()},
    PHRASE: "text",
    "问法": "text",
    "分组": "family",
}


def name_of(heading: object) -> str:
    """Return the name of the field that a heading stands for, or the heading if for none."""
    text = str("" if heading is None else heading).strip()
    return _NAMES.get(text) or _NAMES.get(text.lower()) or text.lower()
