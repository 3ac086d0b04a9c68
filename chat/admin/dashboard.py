"""The admin's first page: what is live, what is missing, what waits for somebody."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from chat.models import Conversation, WebhookEndpoint
from intents import drift
from intents.admin import missing
from intents.models import Draft, Intent, PredictionRecord
from intents.review import inbox
from training.admin.engine import engine_state
from training.admin.runs import UNFINISHED, progress_of
from training.models import ActiveModel, TrainingRun

PERIOD = timedelta(days=1)


def add_state(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the page shows (UNFOLD["DASHBOARD_CALLBACK"]); twelve queries at most."""
    context["title"] = gettext("Overview")
    may = request.user.has_perm
    if may("intents.view_intent"):
        context["active_intents"] = Intent.objects.filter(is_active=True).count()
        context["gaps"] = len(missing.gaps())
    if may("training.view_modelversion"):
        context["engine"] = engine_state()
        context["active"] = ActiveModel.objects.select_related("version").first()
        run = TrainingRun.objects.filter(status__in=UNFINISHED).first()
        context.update(progress_of(run, timezone.now()) if run else {"run": None})
    if may("intents.view_predictionrecord"):
        records = PredictionRecord.objects.filter(
            created_at__gte=timezone.now() - PERIOD, origin=PredictionRecord.Origin.CHAT
        )
        context["asked"] = records.count()
        context["unanswered"] = records.exclude(decision="ANSWER").count()
        latest = drift.latest()
        context["is_drifting"] = latest is not None and latest.is_alert
    if may("intents.view_reviewitem"):
        context["to_review"] = inbox.left()
    if may("intents.view_draft"):
        context["drafts"] = Draft.objects.filter(status=Draft.Status.IN_REVIEW).count()
    if may("chat.view_conversation"):
        waiting = Conversation.objects.filter(status=Conversation.Status.WAITING)
        context["waiting"] = waiting.count()
    if may("chat.view_webhookendpoint"):
        context["broken_webhooks"] = list(
            WebhookEndpoint.objects.filter(is_active=False).exclude(
                switched_off_because=WebhookEndpoint.SwitchedOff.BY_STAFF
            )
        )
    return context
