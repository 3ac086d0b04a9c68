"""Webhooks: whom we tell what, and what became of it. For administrators."""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from chat import tasks, webhooks
from chat.models import WebhookDelivery, WebhookEndpoint
from chat.webhooks import addresses, kinds
from csplatform.read_only import ReadOnly

LABELS = {kind.name: kind.label for kind in webhooks.KINDS} | {kinds.PING: _("Test")}


class EndpointForm(forms.ModelForm):
    """An endpoint; what an address may be, chat/webhooks/addresses.py says."""

    kinds = forms.MultipleChoiceField(
        label=_("events"),
        choices=[(kind.name, kind.label) for kind in webhooks.KINDS],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "kinds")
        help_texts = {
            "url": _(
                "Such as https://example.com/events. It begins with https:// and can be reached "
                "from the internet: addresses of a private network are refused."
            )
        }

    def clean_url(self) -> str:
        return addresses.checked_url(self.cleaned_data["url"])


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):
    """Endpoints. They are switched off, not deleted: the log names them."""

    form = EndpointForm
    list_display = ("name", "url", "state", "outcome", "attempted_at")
    list_filter = ("is_active",)
    search_fields = ("name", "url")
    ordering = ("name", "created_at")
    change_form_outer_before_template = "admin/chat/webhookendpoint/state.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(f"<uuid:pk>/{action}/", view(page), name=f"chat_webhookendpoint_{action}")
            for action, page in (
                ("ping", self.ping),
                ("rotate", self.rotate),
                ("switch", self.switch),
            )
        ]
        return [*own, *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in ("name", "url", "kinds")}
        if change:
            webhooks.change(endpoint_id=obj.pk, **values)
            return
        made, secret = webhooks.create(**values, created_by_id=request.user.pk, now=timezone.now())
        obj.__dict__.update(made.__dict__)
        request.webhook_secret = secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._secret_page(request, obj, request.webhook_secret)  # type: ignore[attr-defined]

    def ping(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Send a test event, and show the log, where its outcome appears."""
        endpoint = self._to_act_on(request, pk)
        if request.method != "POST":
            return redirect("admin:chat_webhookendpoint_change", pk)
        if not endpoint.is_active:
            self.message_user(request, _("Switch the webhook on first."), messages.ERROR)
            return redirect("admin:chat_webhookendpoint_change", pk)
        sent = webhooks.ping(endpoint_id=pk, now=timezone.now())
        transaction.on_commit(tasks.send_webhooks_soon, robust=True)
        self.message_user(
            request, _("A test is on its way. Reload this page to see what came of it.")
        )
        return redirect("admin:chat_webhookdelivery_change", sent.pk)

    def rotate(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Give it a new secret, and show it on this very page."""
        endpoint = self._to_act_on(request, pk)
        if request.method != "POST":
            return redirect("admin:chat_webhookendpoint_change", pk)
        secret = webhooks.rotate_secret(endpoint_id=pk, now=timezone.now())
        self.log_change(request, endpoint, gettext("New secret."))
        return self._secret_page(request, endpoint, secret, is_rotated=True)

    def switch(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Switch it off, or on again."""
        endpoint = self._to_act_on(request, pk)
        if request.method == "POST":
            # What the page showed, not the opposite of what is there by now.
            if request.POST.get("to") == "off":
                webhooks.switch_off(endpoint_id=pk)
                self.log_change(request, endpoint, gettext("Switched off."))
                self.message_user(request, _("Switched off: nothing is sent to it any more."))
            else:
                webhooks.switch_on(endpoint_id=pk, now=timezone.now())
                transaction.on_commit(tasks.send_webhooks_soon, robust=True)
                self.log_change(request, endpoint, gettext("Switched on."))
                self.message_user(request, _("Switched on: what waited is sent now."))
        return redirect("admin:chat_webhookendpoint_change", pk)

    def _to_act_on(self, request: HttpRequest, pk: UUID) -> WebhookEndpoint:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_object_or_404(WebhookEndpoint, pk=pk)

    def _secret_page(
        self,
        request: HttpRequest,
        endpoint: WebhookEndpoint,
        secret: str,
        *,
        is_rotated: bool = False,
    ) -> HttpResponse:
        """Show the secret on the answer to the form itself: a redirect would have to keep it."""
        return TemplateResponse(
            request,
            "admin/chat/webhookendpoint/secret.html",
            {
                **self.admin_site.each_context(request),
                "title": gettext("Secret of %(name)s") % {"name": endpoint.name},
                "opts": self.opts,
                "secret": secret,
                "is_rotated": is_rotated,
                "change_url": reverse("admin:chat_webhookendpoint_change", args=[endpoint.pk]),
            },
        )

    @display(description=_("state"), label={"on": "success", "failing": "warning", "off": "danger"})
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        if not endpoint.is_active:
            because = endpoint.get_switched_off_because_display()
            return "off", gettext("off: %(because)s") % {"because": because}
        if endpoint.failing_since:
            return "failing", gettext("failing")
        return "on", gettext("on")


class KindFilter(admin.SimpleListFilter):
    """Deliveries by the kind of their event."""

    title = _("event")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LABELS.items())

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]
    ) -> QuerySet[WebhookDelivery]:
        return queryset.filter(event__kind=self.value()) if self.value() else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, ModelAdmin):
    """The log: what was sent whereto, what was answered, and sending it again."""

    list_display = (
        "kind",
        "endpoint",
        "state",
        "response_code",
        "response_ms",
        "attempts",
        "happened_at",
        "attempted_at",
    )
    list_filter = ("status", "endpoint", KindFilter)
    list_select_related = ("endpoint", "event")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("event__id",)
    search_help_text = _("Finds the id of an event or of a conversation.")
    ordering = ("-pk",)
    actions = ("redeliver_selected",)
    fields = (
        ("endpoint", "kind"),
        ("status", "attempts"),
        ("attempted_at", "next_attempt"),
        ("response_code", "response_ms"),
        "outcome",
        "event_id_shown",
        "payload",
    )
    readonly_fields = ("kind", "next_attempt", "event_id_shown", "payload")
    change_form_outer_before_template = "admin/chat/webhookdelivery/redeliver.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:pk>/redeliver/",
                self.admin_site.admin_view(self.redeliver),
                name="chat_webhookdelivery_redeliver",
            ),
            *super().get_urls(),
        ]

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("chat.change_webhookdelivery"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return super().get_queryset(request).select_related("endpoint", "event")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], search_term: str
    ) -> tuple[QuerySet[WebhookDelivery], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        return queryset.filter(Q(event=wanted) | Q(event__conversation=wanted)), False

    @admin.action(description=_("Send the selected ones again"), permissions=["redeliver"])
    def redeliver_selected(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        self._redeliver(request, list(queryset.values_list("pk", flat=True)))

    def redeliver(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send one again."""
        if not self.has_redeliver_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            self._redeliver(request, [get_object_or_404(WebhookDelivery, pk=pk).pk])
        return redirect("admin:chat_webhookdelivery_change", pk)

    def _redeliver(self, request: HttpRequest, ids: list[int]) -> None:
        count = webhooks.redeliver(delivery_ids=ids, now=timezone.now())
        transaction.on_commit(tasks.send_webhooks_soon, robust=True)
        self.message_user(
            request,
            ngettext(
                "%(count)d delivery is sent again.", "%(count)d deliveries are sent again.", count
            )
            % {"count": count},
        )

    @display(description=_("event"))
    def kind(self, delivery: WebhookDelivery) -> str:
        return str(LABELS.get(delivery.event.kind, delivery.event.kind))

    @display(
        description=_("status"),
        ordering="status",
        label={
            WebhookDelivery.Status.PENDING: "info",
            WebhookDelivery.Status.DELIVERED: "success",
            WebhookDelivery.Status.GIVEN_UP: "danger",
        },
    )
    def state(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.status, delivery.get_status_display()

    @display(description=_("happened at"), ordering="event__created_at")
    def happened_at(self, delivery: WebhookDelivery) -> Any:
        return delivery.event.created_at

    @display(description=_("next attempt"))
    def next_attempt(self, delivery: WebhookDelivery) -> Any:
        return delivery.due_at if delivery.status == WebhookDelivery.Status.PENDING else None

    @display(description=_("id of the event"))
    def event_id_shown(self, delivery: WebhookDelivery) -> str:
        return str(delivery.event_id)

    @display(description=_("content"))
    def payload(self, delivery: WebhookDelivery) -> str:
        shown = json.dumps(json.loads(delivery.event.payload), ensure_ascii=False, indent=2)
        return format_html('<pre class="cs-log">{}</pre>', shown)
