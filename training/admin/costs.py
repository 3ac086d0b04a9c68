"""What outcomes cost, set by staff, and what follows from it on their own data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from intents import content, services
from intents.content import read_costs
from intents.decisions import Costs
from intents.models import COST_MOST, Intent, IntentCosts
from training import weighing
from training.weighing import Labelled, Point, Shares

NAMES = ("wrong_answer", "clarification", "hand_over", "missed")
LABELS = {
    "wrong_answer": _("a wrong answer"),
    "clarification": _("asking what was meant"),
    "hand_over": _("handing over to a human"),
    "missed": _("answering what is none of our topics"),
}
EXPLAINED = {
    "wrong_answer": _("The customer reads the reply to something he did not ask."),
    "clarification": _(
        "The customer reads a question back and presses one of up to three buttons."
    ),
    "hand_over": _("A colleague's time, and the customer waits. The usual measure: 1."),
    "missed": _("The customer asks about something else entirely, and gets a reply of the shop."),
}


class CostsForm(forms.Form):
    """What each outcome costs for all intents."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NAMES:
            self.fields[name] = _cost_field(LABELS[name], EXPLAINED[name], required=True)


class OwnCostsForm(forms.Form):
    """What differs for one intent."""

    def __init__(self, data: Any, *, intent: Intent, initial: dict[str, Any]) -> None:
        super().__init__(data, prefix=intent.code, initial=initial)
        self.intent = intent
        for name in NAMES:
            label = f"{intent.name((get_language() or '')[:2])}: {LABELS[name]}"
            self.fields[name] = _cost_field(label, "", required=False)


def _cost_field(label: Any, help_text: Any, *, required: bool) -> forms.FloatField:
    return forms.FloatField(
        label=label,
        help_text=help_text,
        required=required,
        min_value=0,
        max_value=COST_MOST,
        widget=UnfoldAdminTextInputWidget(
            attrs={"type": "number", "min": "0", "max": f"{COST_MOST:g}", "step": "any"}
        ),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One intent: its form, and what becomes of its texts."""

    name: str
    form: OwnCostsForm
    shares: Shares | None


# --- The drawing: hand-overs to the right, wrong answers upwards ---------------------------

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 48
_LEAST_AXIS = 0.05


@dataclass(frozen=True, slots=True)
class Chart:
    """Where everything lies, in the units of the drawing."""

    line: str  # of an SVG polyline
    now: tuple[float, float]  # as it is saved
    chosen: tuple[float, float]  # with the costs in the form
    across: Sequence[tuple[float, str]]  # position and label
    upwards: Sequence[tuple[float, str]]


def chart_of(points: Sequence[Point], now: Shares, chosen: Shares) -> Chart:
    """Lay out the curve of the chosen costs, and both points."""
    everything = [*(point.shares for point in points), now, chosen]
    most_handed = max(_LEAST_AXIS, *(each.handed_over for each in everything))
    most_wrong = max(_LEAST_AXIS, *(each.wrong for each in everything))

    def across(share: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * share / most_handed, 1)

    def upwards(share: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share / most_wrong, 1)

    in_order = sorted((p.shares for p in points), key=lambda s: (s.handed_over, -s.wrong))
    quarters = [step / 4 for step in range(5)]
    return Chart(
        line=" ".join(f"{across(s.handed_over)},{upwards(s.wrong)}" for s in in_order),
        now=(across(now.handed_over), upwards(now.wrong)),
        chosen=(across(chosen.handed_over), upwards(chosen.wrong)),
        across=[(across(q * most_handed), f"{100 * q * most_handed:.0f} %") for q in quarters],
        upwards=[(upwards(q * most_wrong), f"{100 * q * most_wrong:.0f} %") for q in quarters],
    )


# --- The page ------------------------------------------------------------------------------


def decision_costs(request: HttpRequest) -> HttpResponse:
    """Show costs and what follows; `preview` shows what would, `save` makes it so."""
    if not request.user.has_perm("intents.view_intent"):
        raise PermissionDenied
    may_change = request.user.has_perm("intents.change_intent")
    posted = request.POST if request.method == "POST" else None
    if posted is not None and "preview" not in posted and not may_change:
        raise PermissionDenied
    saved, saved_own = read_costs()
    form = CostsForm(posted, initial=asdict(saved))
    own_forms = _own_forms(posted)
    costs, own = saved, saved_own
    if posted is not None:
        everything_fits = form.is_valid() and all(each.is_valid() for each in own_forms)
        if everything_fits and "preview" not in posted:
            if _save(request, form, own_forms):
                return redirect(reverse("admin:decision_costs"))
        elif everything_fits:
            costs = Costs(**form.cleaned_data)
            own = {
                each.intent.code: IntentCosts(**each.cleaned_data).over(costs) for each in own_forms
            }
    context = {
        "title": gettext("What decisions cost"),
        "form": form,
        "may_change": may_change,
        **_outcome(costs, own, saved, saved_own, own_forms),
    }
    if posted is not None and "fragment" in posted:
        return TemplateResponse(request, "admin/training/costs_outcome.html", context)
    context.update(admin.site.each_context(request))
    return TemplateResponse(request, "admin/training/costs.html", context)


def _own_forms(posted: Any) -> list[OwnCostsForm]:
    saved = {each.intent_id: each for each in IntentCosts.objects.all()}
    forms_of = []
    for intent in Intent.objects.filter(is_active=True).order_by("position", "code"):
        row = saved.get(intent.pk)
        initial = {name: getattr(row, name) for name in NAMES} if row else {}
        forms_of.append(OwnCostsForm(posted, intent=intent, initial=initial))
    return forms_of


def _save(request: HttpRequest, form: CostsForm, own_forms: Sequence[OwnCostsForm]) -> bool:
    try:
        services.save_costs(
            Costs(**form.cleaned_data),
            {each.intent.code: each.cleaned_data for each in own_forms},
        )
    except ValidationError as error:
        for message in error.messages:
            form.add_error(None, message)
        return False
    messages.success(request, gettext("Saved. Every chat decides by it within two seconds."))
    return True


def _outcome(
    costs: Costs,
    own: dict[str, Costs],
    saved: Costs,
    saved_own: dict[str, Costs],
    own_forms: Sequence[OwnCostsForm],
) -> dict[str, Any]:
    """Return what the costs lead to on this installation's data."""
    texts: list[Labelled] = weighing.own_data()
    current = content.current()
    chosen, now = current.with_costs(costs, own), current.with_costs(saved, saved_own)
    language = (get_language() or "")[:2]
    by_intent = weighing.weigh_by_intent(texts, chosen)
    found: dict[str, Any] = {
        "rows": [
            Row(each.intent.name(language), each, by_intent.get(each.intent.code))
            for each in own_forms
        ],
        "texts": len(texts),
        "wrong_in_hand_overs": costs.wrong_answer / costs.hand_over if costs.hand_over else None,
        "asking_in_hand_overs": costs.clarification / costs.hand_over if costs.hand_over else None,
        "least_certain": weighing.least_certain(costs),
    }
    if texts:
        shares, shares_now = weighing.weigh(texts, chosen), weighing.weigh(texts, now)
        found["shares"], found["shares_now"] = shares, shares_now
        found["chart"] = chart_of(weighing.curve(texts, chosen), shares_now, shares)
    return found
