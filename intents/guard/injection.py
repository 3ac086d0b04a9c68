"""Refuses SQL and script injection in what customers write.

libinjection reads a text as a database or a browser would; rules of our own are added where
it is blind (an attack inside a sentence, encodings, statements without a quote), and
what it suspects in ordinary prose needs to look like SQL as well. Nothing here protects
the database or the pages by itself: those use parameters and escape what they show.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

import libinjection
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from intents.guard.normalize import visible


class Blocked(Refusal):
    """The text looks like an attack; nothing was stored."""

    code = "blocked"
    status = 400
    detail = _("This message looks like an attack and was not accepted. Please rephrase it.")


# A text without any of these is no attack; nearly every message ends here.
_TRIGGER = re.compile(
    r"[<>'\"`´‘’“”=;()\\%&#|@]|--|/\*"
    r"|(?i:union|select|insert|delete|drop|update|truncate|alter|exec|declare|waitfor|order\s+by"
    r"|having|javascript)"
)
# Encodings inside encodings; nobody writes a sentence in three layers of them.
_LAYERS = 3
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")
_SQL_COMMENT = re.compile(r"/\*[^*]{0,200}\*/")
_SPACES = re.compile(r"[\s+\x00]+")
_QUOTES = str.maketrans("‘’‛′´`“”„″–—", "''''''\"\"\"\"--")
_REPEATED_QUOTES = re.compile(r"(['\"])\1+")

_SQL = re.compile(
    r"""
      \bunion\s(?:all\s|distinct\s)?[\s(]*select\b
    # statements, with what makes them more than English
    | \bselect\s(?:\*|@@|top\s\d|count\(|concat\(|substr|if\s?\(|case\swhen|sleep\(|0x[0-9a-f])
    | \bselect\s[\w.,\s*()@'"]{1,120}\bfrom\s[\w.]{1,60}\swhere\s\w+\s?(?:=|<|>|like\b|in\s?\()
    | \bselect\s[\w.,\s*()@'"]{1,120}\bfrom\s(?:information_schema|mysql\.|sys\w+|pg_\w+|dual\b|all_tables)
    | \binsert\sinto\s[\w.]{1,60}\s?(?:\(|values\b|select\b)
    | \bdelete\sfrom\s[\w.]{1,60}\s?(?:;|--|\#|where\s\w+\s?(?:=|<|>|like\b|in\s?\())
    | \bupdate\s[\w.]{1,60}\sset\s\w+\s?=
    | \b(?:drop|truncate)\s(?:table|database|schema)\s(?:if\sexists\s)?["'`\w.]{1,60}\s?(?:;|--|\#|$|cascade)
    | (?:^|['");])\s?(?:drop|truncate|alter)\s(?:table|database|schema)\s\w
    | \balter\stable\s\w+\s(?:add|drop|modify|rename)\b
    | \bcreate\s(?:table|user|database)\s\w+\s?(?:\(|identified\b)
    | [;'")]\s?;?\s?(?:exec(?:ute)?|shutdown|declare|begin\sdeclare|waitfor)\s[@\w(]
    | ['")\d]\s?;\s?(?:select|insert|update|delete|drop|create|alter|copy)\b
    | \bexec(?:ute)?\s?(?:\(\s?@|master\b|[xs]p_|\(\s?['"])
    | \bdeclare\s@\w+\s\w+
    | ^\d*\s?;\s?select\b | \d;\s?\(?(?:select|load_file)\b | ^\(\s?select\stop\s\d
    # what is always true, or always false
    | \b(?:or|and|xor|having|where|if|when)\b[\s(!'"]*(\w{1,40})['"]?\s?(?:=|<=>|<>|!=|>|<|\blike\b|\brlike\b)\s?\(?n?['"]?\1(?:\b|$)
    | (?:\b(?:or|and|xor|having|where)\b|&&|\|\|)[\s(!]*\d{1,12}\s?(?:=|<|>)\s?\d
    | (?:\b(?:or|and|xor|having|where)\b|&&|\|\|)[\s(]*n?['"][^'"]{0,30}['"]\s?(?:=|<|>|\blike\b)\s?n?['"(]
    | \b(?:or|and)\b[\s(]*['"]?\s?(?:=)\s?['"]
    | ['")]\s?(?:or|and)\s[\s(]*(?:exists|not\sexists|true|false|1)\s?(?:\)|--|\#|\(|['"]|$)
    | ^\s?(?:or|and)\s(?:\(exists\)|\d\s--|['"]\w+['"]\sin\s\()
    | ^(?:or|and)\s(\w)\s?=\s?\w\s?(?:--|\#|/\*|$)
    | \b(?:or|and)\s[\w.]{1,30}\s?=\s?\(?\s?select\b | \b(?:and|or)\s\(\s?select\b | \bin\s\(\s?select\b
    | \brlike\s?\(
    # blind and out of band
    | \bwaitfor\s(?:delay|time)\b
    | \b(?:pg_)?sleep\(\s?(?:\d|__|['"]) | \bsleep\s\d{1,4}\)
    | \bbenchmark\(\s?\d | \b(?:extractvalue|updatexml|load_file|group_concat|xmltype)\(
    | \b(?:dbms_\w+|utl_(?:http|inaddr|file|tcp))\.
    | \binto\s(?:out|dump)file\b
    | \b(?:xp_(?:cmdshell|reg\w+|dirtree)|sp_(?:executesql|oacreate|password|makewebtask|configure))\b
    | \bexec\s[xs]p_
    | \binformation_schema\b | @@(?:version|servername|microsoftversion|hostname|datadir)
    | \bfrom\s(?:sysobjects|syscolumns|sysusers|pg_shadow|pg_group|pg_user|syscat\.|master\.)
    | \bchar\(\s?(?:0x)?\d+\)\s?(?:\+|,|\|\|)\s?char\(
    | \bchar\(\s?\d+(?:,\s?\d+){3}
    | (?:,\s?null){2} | ,\s?null\)\s?waitfor
    # the rest of a statement
    | \b(?:order|group)\sby\s[\d,\s]{1,60}(?:--|\#|/\*|,\s?(?:sleep|benchmark)\() | \border\sby\ssleep\(
    | \bgroup\sby\s\w+\shaving\b
    | ^[\w@.]{0,40}['"]\)?\s?(?:--|\#|/\*)
    | ['"]\s?\|\|\s?(?:['"]|\w+[.(])
    | ^\(?\s?exec\(@
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SCRIPT = re.compile(
    r"""
      <\s*/?\s*script(?:[\s/+>"'\\;]|$) | <scr<script
    | <!?[^\s<>][^<>]{0,300}?[^a-z0-9<>]on[a-z]{3,30}[^a-z0-9<>]{0,40}=
    | <\w[^<>]{0,40}(?:</?|>["'\s])[\s/]?on[a-z]{3,30}\s*=
    | <[a-z]{1,30}[^<>]{0,300}(?:src|href|action|data|xlink:href)\s*=\s*["']?\s*(?:java|vb|live)\s*script\s*:
    | (?:[=?"'(&:<{]|^)[^\w<>]{0,8}(?:java|vb|live)\s*script\s*:\s{0,3}[^\s<>]{0,60}[(`=.;/]
    | (?:java|vb)script\s*:\s?[\w.]*[(`]
    | (?:["'\\;]|//|-)\s*(?:alert|confirm|prompt|eval)\s?[(`]
    | \b(?:alert|confirm|prompt)\(\s?["'\d/] | \beval\(\s?(?:\w+\.|["'])
    | \bdocument\.(?:cookie|location|write|domain)\b | \bwindow\.(?:location|open)\b | \bstring\.fromcharcode\b
    | <(?:iframe|object|embed|applet|meta|base|frameset)[\s/+>]
    | <!--\s?\#(?:exec|include) | <!(?:entity|attlist)\b
    | \bexpression\s?\(\s?(?:javascript|alert|\w+\() | \bactivexobject\b
    | <[^<>]{0,100}\[[^<>]{0,100}on(?:error|load)
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What a suspicion of libinjection needs beside it. Quotes and "and" alone are prose.
_LIKE_SQL = re.compile(
    r"['\")\d;]\s*(?:--|/\*|#)|#\s*$|;|\|\||&&|@@|0x[0-9a-f]{2}|[<>!]=|'\s*=|=\s*'|\d\s*=\s*\d|\)\s*=|\b\w+\(|"
    r"\b(?:union|insert|delete|drop|update|exec|having|order\s+by|group\s+by|null)\b|"
    r"\blike\s*['\"]%|\bbetween\s+\d+\s+and\s+\d|^\s*['\"]\s*(?:or|and)\b|['\"]\s*(?:or|and)\s*['\"]\s*$|"
    r"\bselect\b.*(?:[*'\"(=]|\bfrom\b.*\bwhere\b.*[=<>])",
    re.IGNORECASE | re.DOTALL,
)
# libinjection looks at a text's beginning; what counts is there or found by the rules.
_LIBINJECTION_MAX_CHARS = 2_000


def check(text: str) -> None:
    """Refuse SQL and script injection, through the usual disguises.

    Full width, upper and lower case, URL, HTML and backslash encodings (also nested),
    SQL comments within words.

    Raises:
        Blocked: It looks like an attack.
    """
    text = unicodedata.normalize("NFKC", visible(text))
    if not _TRIGGER.search(text):
        return
    for reading in _readings(text):
        if _is_attack(reading):
            raise Blocked


def _readings(text: str) -> Iterator[str]:
    """Yield the text as it is, and as it is after each layer of encoding is taken off."""
    yield text
    for _layer in range(_LAYERS):
        decoded = _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), html.unescape(unquote(text)))
        decoded = unicodedata.normalize("NFKC", decoded)
        if decoded == text:
            return
        text = decoded
        yield text


def _is_attack(text: str) -> bool:
    head = text[:_LIBINJECTION_MAX_CHARS]
    if libinjection.is_xss(head)["is_xss"] or _SCRIPT.search(text):
        return True
    if libinjection.is_sql_injection(head)["is_sqli"] and _LIKE_SQL.search(head):
        return True
    plain = _REPEATED_QUOTES.sub(r"\1", text.translate(_QUOTES))
    forms = {_SPACES.sub(" ", plain)}
    if "/*" in plain:
        forms |= {_SPACES.sub(" ", _SQL_COMMENT.sub(by, plain)) for by in ("", " ")}
    return any(_SQL.search(form) for form in forms)
