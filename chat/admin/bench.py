"""The test bench: one sentence, and how it is answered now, by another model, and by a draft."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from chat.admin.preview import customers_to_try, facts_of
from chat.replies import Answer, Templates, Turn, filled, variables
from intents import content, guard
from intents.admin.labels import DECISIONS, SOURCES
from intents.content import Content
from intents.decisions import Decision, expected_costs
from intents.guard import Masked, pii
from intents.language import detect
from intents.models import Channel, Language
from intents.trials import Answered, ContenderUnavailable, Opened, open_contender
from training import contenders
from training.contenders import Choice
from training.gate import cases
from training.models import RegressionCase

RANKED_SHOWN = 5
NEIGHBOURS_SHOWN = 5
_LANGUAGES = dict(Language.choices)


class BenchForm(forms.Form):
    """A question, who would be asking it, and who is to answer it beside the model in service."""

    text = forms.CharField(
        label=_("a customer's question"),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
    )
    customer = forms.ChoiceField(
        label=_("asked by"), required=False, widget=UnfoldAdminSelectWidget
    )
    version = forms.ChoiceField(
        label=_("beside it: another model"), required=False, widget=UnfoldAdminSelectWidget
    )
    draft = forms.ChoiceField(
        label=_("beside it: a draft"), required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customers = customers_to_try()
        self.fields["customer"].initial = customers[0].uid if customers else ""
        self._offer(
            "customer",
            [
                *((one.uid, str(one)) for one in customers),
                ("", _("a visitor who is not signed in")),
            ],
        )
        nobody = ("", _("none"))
        for name, offered in (
            ("version", contenders.versions()),
            ("draft", contenders.waiting_drafts()),
        ):
            self._offer(name, [nobody, *((one.key, one.name) for one in offered)])

    def _offer(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Near:
    """An utterance that speaks for an intent."""

    text: str
    intent: str  # its name
    similarity: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What one outcome is expected to cost."""

    outcome: Any
    cost: float
    is_least: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the replies that fit, as this customer would read it."""

    text: str
    missing: tuple[str, ...]  # facts that are not known of him: it is not said then


@dataclass(frozen=True, slots=True)
class Column:
    """How one contender answers."""

    title: Any
    name: str
    problem: str = ""  # why he cannot answer; then nothing below is known
    model_version: str = ""
    source: Any = ""
    ranked: Sequence[tuple[str, float]] = ()  # name, probability
    out_of_scope: float = 0.0
    near: Sequence[Near] = ()
    costs: Sequence[Cost] = ()
    answered: Answered | None = None
    decision: Any = ""
    answer: Answer | None = None
    variants: Sequence[Variant] = ()
    facts: Sequence[tuple[str, str]] = ()
    differs: bool = False  # from what is in service
    kept_intent: str = ""  # Intent.code that a regression sentence of it expects; "" for any


@dataclass(frozen=True, slots=True)
class Trial:
    """What every column has in common."""

    masked: Masked
    refused: str  # why it would not be accepted at all; then nothing below is known
    language: str = ""
    language_name: Any = ""
    redacted: str = ""  # as models and logs see it; the same where it names nobody
    columns: Sequence[Column] = ()


def attempt(text: str, uid: str, beside: Sequence[tuple[Any, str]] = ()) -> Trial:
    """Do everything that the bot does with a message, except storing it.

    Args:
        uid: The customer who asks; "" for a visitor.
        beside: Title and Contender.key of those who answer beside what is in service.
    """
    masked = content.current().masker.mask(text)
    try:
        guard.check(text)
    except guard.Blocked as refusal:
        return Trial(masked=masked, refused=str(refusal))
    spoken = detect(masked.text)
    columns: list[Column] = []
    for title, key in [(gettext("In service"), contenders.active().key), *beside]:
        try:
            choice = contenders.find(key)
            columns.append(_column(title, choice, masked.text, spoken, uid, columns[:1]))
        except ContenderUnavailable as gone:
            columns.append(Column(title, key, problem=str(gone)))
    return Trial(
        masked=masked,
        refused="",
        language=spoken,
        language_name=_LANGUAGES.get(spoken, ""),
        redacted=pii.redact(masked.text),
        columns=columns,
    )


def _column(
    title: Any, choice: Choice, text: str, spoken: str, uid: str, in_service: Sequence[Column]
) -> Column:
    opened = open_contender(choice.contender)
    now = opened.content
    (answered,) = opened.answer([text], [spoken])
    shown_in = (get_language() or "")[:2]
    replies = _replies(answered, now, spoken)
    facts = facts_of(uid, spoken) if any(map(variables, replies)) else {}
    used = dict.fromkeys(name for reply in replies for name in variables(reply))
    first = in_service[0].answered if in_service else None
    return Column(
        title=title,
        name=choice.name,
        model_version=opened.model_version,
        source=SOURCES.get(answered.prediction.source, answered.prediction.source),
        ranked=[
            (_name(code, now, shown_in), probability)
            for code, probability in answered.prediction.ranked[:RANKED_SHOWN]
        ],
        out_of_scope=answered.prediction.out_of_scope,
        near=_near(opened, text, shown_in) if spoken else (),
        costs=_costs(answered, now),
        answered=answered,
        decision=DECISIONS[answered.decision],
        answer=_worded(answered, now, spoken, uid),
        variants=[
            Variant(filled(reply, facts), tuple(n for n in variables(reply) if not facts.get(n)))
            for reply in replies
        ],
        facts=[(name, facts.get(name, "")) for name in used],
        # What is not answered by it was a guess: no model need make the same one.
        kept_intent=answered.intent if _is_reply(answered, now) else "",
        differs=first is not None
        and (first.intent, first.decision, set(first.variants))
        != (answered.intent, answered.decision, set(answered.variants)),
    )


def _near(opened: Opened, text: str, shown_in: str) -> list[Near]:
    return [
        Near(one.text, _name(one.intent, opened.content, shown_in), one.similarity)
        for one in opened.nearest(text, NEIGHBOURS_SHOWN)
    ]


def _costs(answered: Answered, now: Content) -> list[Cost]:
    expected = expected_costs(answered.prediction, now)
    least = min(expected.values())
    in_order = (Decision.ANSWER, Decision.CLARIFY, Decision.HAND_OVER)
    return [
        Cost(DECISIONS[each], expected[each], is_least=expected[each] == least)
        for each in in_order
        if each in expected
    ]


def _replies(answered: Answered, now: Content, spoken: str) -> list[str]:
    """Return the replies that the answer is chosen from; everything else is one phrase."""
    if not _is_reply(answered, now):
        return []
    return now.replies(answered.intent, spoken, Channel.WEB)


def _is_reply(answered: Answered, now: Content) -> bool:
    intent = now.intents.get(answered.intent)
    hands_over = intent is not None and intent.hands_over
    return answered.decision == Decision.ANSWER or (
        answered.decision == Decision.HAND_OVER and hands_over
    )


def _worded(answered: Answered, now: Content, spoken: str, uid: str) -> Answer:
    # The first that fits, not any: columns must not differ by chance.
    return Templates(choose=lambda fitting: fitting[0]).compose(
        Turn(
            content=now,
            prediction=answered.prediction,
            decision=answered.decision,
            language=spoken,
            channel=Channel.WEB,
            facts=lambda language: facts_of(uid, language),
        )
    )


def _name(code: str, now: Content, language: str) -> str:
    return now.intents[code].name(language) if code in now.intents else code


# --- The page ------------------------------------------------------------------------------


def bench(request: HttpRequest) -> HttpResponse:
    """Show the box, and below it what would happen; nothing is stored."""
    if not request.user.has_perm("intents.view_intent"):
        raise PermissionDenied
    form = BenchForm(request.POST or None, initial=request.GET.dict())  # ?draft=draft:7
    trial = None
    if form.is_valid():
        asked = form.cleaned_data
        beside = [
            (title, asked[name])
            for title, name in ((gettext("Another model"), "version"), (gettext("Draft"), "draft"))
            if asked[name]
        ]
        trial = attempt(asked["text"], asked["customer"], beside)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Test bench"),
        "form": form,
        "trial": trial,
        "may_keep": request.user.has_perm("training.add_regressioncase"),
        "sees_sentences": request.user.has_perm("training.view_regressioncase"),
    }
    return TemplateResponse(request, "admin/chat/bench.html", context)


def moved(request: HttpRequest) -> HttpResponse:
    """Lead from the bench's former address to where it is."""
    return redirect("admin:bench")


def keep(request: HttpRequest) -> HttpResponse:
    """Make a regression sentence of what was tried: POST text, intent, decision.

    Answers a line for the page that asked by htmx, the bench to everybody else.
    """
    if not request.user.has_perm("training.add_regressioncase"):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    problem = ""
    try:
        cases.keep(
            text=pii.redact(request.POST.get("text", "")),
            intent=request.POST.get("intent", ""),
            decision=request.POST.get("decision", ""),
            origin=RegressionCase.Origin.BENCH,
            by=request.user,
            now=timezone.now(),
        )
    except ValidationError as error:
        problem = " ".join(error.messages)
    if "HX-Request" in request.headers:
        return render(request, "admin/chat/bench_kept.html", {"problem": problem})
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, gettext("Kept: every new model is held to it."))
    return redirect("admin:bench")
