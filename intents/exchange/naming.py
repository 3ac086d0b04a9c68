"""Which of our intents a name in a file means."""

import hashlib
import re
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from intents.models import Intent

_CODE_CHARS = 40


def code_for(name: str) -> str:
    """Return a code for an intent that another program calls `name`; the same each time.

    "Order.Status-2" becomes order_status_2; what has no Latin letters gets a number of its own.
    """
    code = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not code or not code.isascii() or len(re.sub(r"\W", "", name)) > len(code) + 8:
        return f"intent_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
    if not code[0].isalpha():
        code = f"intent_{code}"
    return code[:_CODE_CHARS]


@dataclass(slots=True)
class Codes:
    """The intents that there are, by code and name, and whether others may be made."""

    by_name: dict[str, str]
    makes: bool
    titles: dict[str, str] = field(default_factory=dict)  # by code, in the language in force
    _made: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, *, makes: bool) -> "Codes":
        """Read all intents. One query. A code means its own intent, whatever another is called."""
        rows = list(Intent.objects.values_list("code", "name_zh", "name_en"))
        names = {name: code for code, zh, en in rows for name in (en, zh)}
        is_chinese = (get_language() or "").startswith("zh")
        titles = {code: zh if is_chinese else en for code, zh, en in rows}
        return cls({**names, **{code: code for code, _zh, _en in rows}}, makes, titles)

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
        found = self.by_name.get(name) or self._made.get(name)
        if found:
            return found
        code = code_for(name)
        if code in self.by_name.values() and self.by_name.get(code) == code:
            return code
        if not self.makes:
            raise ValidationError(_("There is no intent “%(code)s”."), params={"code": name})
        self._made[name] = code
        return code
