"""Who read along in whose conversations: to read only, and not to be changed by anybody."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from chat.admin.routing import ExplainedAdmin
from chat.models import Watch
from chat.sockets import name_of
from csplatform.read_only import ReadOnly


@admin.register(Watch)
class WatchAdmin(ReadOnly, ExplainedAdmin):
    explanation = _(
        "Whoever of the staff opens a conversation that a colleague or the assistant has is "
        "written down here, supervisors too. Nobody can change it."
    )
    list_display = ("began_at", "who", "whose", "conversation", "until")
    list_filter = ("began_at",)
    list_select_related = ("watcher", "watched", "conversation")
    show_full_result_count = False
    search_fields = ("watcher__username", "watcher__first_name", "conversation__uid")
    ordering = ("-began_at", "-pk")
    fields = ("conversation", "who", "whose", "began_at", "until")
    readonly_fields = fields

    @display(description=_("who watched"), ordering="watcher__username")
    def who(self, watch: Watch) -> str:
        return name_of(watch.watcher)

    @display(description=_("who had it"))
    def whose(self, watch: Watch) -> Any:
        return name_of(watch.watched) or _("the assistant")

    @display(description=_("until"), ordering="seen_at")
    def until(self, watch: Watch) -> Any:
        return watch.ended_at or watch.seen_at
