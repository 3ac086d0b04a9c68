"""Which of our intents a name in a file means."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from intents.models import Intent

_CODE_CHARS = 40
_DIGITS = 8


def code_for(name: str) -> str:
    """Return a code for an intent that another program calls `name`; the same each time.

    "Order.Status-2" becomes order_status_2. What has more than ASCII, or no letters at all, gets
    a number of its own: the Latin letters in 查询VIP订单 do not say which intent it is.
    """
    if name.isascii() and any(map(str.isalnum, name)):
        return _readable(name)[:_CODE_CHARS]
    return _numbered(name)


def _numbered(name: str) -> str:
    """Return a code that no other name has: what can be read of it, and a number from all of it."""
    digits = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:_DIGITS]
    return f"{_readable(name)[: _CODE_CHARS - _DIGITS - 1].rstrip('_')}_{digits}"


def _alike(name: str) -> str:
    """Return what names have in common that differ by case and spaces: they mean one intent."""
    return re.sub(r"[\s_]+", "_", name.lower())


def _readable(name: str) -> str:
    letters = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if letters[:1].isalpha():
        return letters
    return f"intent_{letters}" if letters else "intent"


@dataclass(frozen=True, slots=True)
class Codes:
    """The intents that there are, by code and name, those of a file, and whether it may make any."""

    by_name: Mapping[str, str]
    titles: Mapping[str, str]  # by code, in the language in force
    makes: bool
    # The one name of the file that has a code without a number, as `_alike` gives it; others have
    # the same letters.
    _owners: Mapping[str, str]

    @classmethod
    def read(cls, names: Iterable[str], *, makes: bool) -> Self:
        """Read all intents. One query, besides that of the names.

        Args:
            names: All names of intents in the file: two of them that are written alike
                ("Order.Status", "order-status") get codes of their own, whichever comes first,
                unless they differ by case and spaces only.
            makes: Whether intents may be made.
        """
        rows = Intent.objects.order_by("pk").values_list("code", "name_zh", "name_en")
        return cls.among(rows, names, makes=makes)

    @classmethod
    def among(
        cls, rows: Iterable[tuple[str, str, str]], names: Iterable[str], *, makes: bool
    ) -> Self:
        """Do the same with intents given as code, Chinese and English name."""
        is_chinese = (get_language() or "").startswith("zh")
        titles, called = {}, dict[str, list[str]]()
        for code, zh, en in rows:
            titles[code] = zh if is_chinese else en
            for name in (en, zh):
                called.setdefault(name, []).append(code)
        by_name = {name: _meant(name, codes) for name, codes in called.items()}
        by_name |= {code: code for code in titles}  # whatever another is called

        def rank(name: str) -> tuple[bool, bool, str]:
            return name not in by_name, code_for(name) != name, name

        owners: dict[str, str] = {}
        for name in sorted({name.strip() for name in names}, key=rank):
            code = code_for(name)
            if by_name.get(name, code) == code:
                owners.setdefault(code, _alike(name))
        return cls(by_name, titles, makes, owners)

    def shown(self, code: str) -> str:
        """Return how staff know an intent: its name, and its code where that is another."""
        title = self.titles.get(code, code)
        return code if title == code else f"{title} ({code})"

    def of(self, name: str) -> str:
        """Return Intent.code of a name.

        Raises:
            ValidationError: There is none, and none may be made.
        """
        name = name.strip()
        if not name:
            raise ValidationError(_("The intent is empty."))
        code = self.by_name.get(name) or self._code(name)
        if code not in self.titles and not self.makes:
            raise ValidationError(_("There is no intent “%(code)s”."), params={"code": name})
        return code

    def _code(self, name: str) -> str:
        code, numbered = code_for(name), _numbered(name)
        # The number is the name's: an import made that intent, whatever staff call it since.
        alike = _alike(name)
        is_another = numbered in self.titles or self._owners.get(code, alike) != alike
        return numbered if is_another else code


def _meant(name: str, codes: list[str]) -> str:
    """Choose among intents of one name: an import may have cut the longer names of the others."""
    own = (code for code in (_numbered(name), code_for(name)) if code in codes)
    return next(own, codes[-1])
