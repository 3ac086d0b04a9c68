"""Addresses of the customers' REST interface."""

from django.urls import path

from chat.api import (
    analyses,
    attachments,
    canned,
    inbox,
    notes,
    panel,
    passing_on,
    ratings,
    suggestion,
    supervision,
    transcripts,
    views,
    visits,
)

urlpatterns = [
    path("chat", views.Chat.as_view(), name="api-chat"),
    path("attachments", attachments.CustomerUpload.as_view(), name="api-attachments"),
    path("attachments/<uuid:attachment>", attachments.Content.as_view(), name="api-attachment"),
    path(
        "attachments/<uuid:attachment>/thumbnail",
        attachments.Thumbnail.as_view(),
        name="api-attachment-thumbnail",
    ),
    path(
        "workspace/attachments",
        attachments.AgentUpload.as_view(),
        name="api-workspace-attachments",
    ),
    path("conversation", views.OpenConversation.as_view(), name="api-conversation"),
    path("conversation/messages", views.Messages.as_view(), name="api-messages"),
    path("conversation/human", views.Human.as_view(), name="api-human"),
    path("conversation/unread", visits.Unread.as_view(), name="api-unread"),
    path("conversation/read", visits.Read.as_view(), name="api-read"),
    path("conversation/end", visits.End.as_view(), name="api-end"),
    path("conversation/address", visits.Address.as_view(), name="api-address"),
    path("conversation/rating", ratings.Rating.as_view(), name="api-rating"),
    path("conversation/feedback", ratings.Feedback.as_view(), name="api-feedback"),
    path("conversation/transcript", transcripts.Transcript.as_view(), name="api-transcript"),
    path(
        "workspace/conversations/<uuid:conversation>/panel",
        panel.Panel.as_view(),
        name="api-workspace-panel",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/suggestion",
        suggestion.SuggestedReply.as_view(),
        name="api-workspace-suggestion",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/notes",
        notes.Notes.as_view(),
        name="api-workspace-notes",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/analyses",
        analyses.Analyses.as_view(),
        name="api-workspace-analyses",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/messages/<int:seq>/analysis",
        analyses.Analysis.as_view(),
        name="api-workspace-analysis",
    ),
    path("workspace/mentions", notes.Mentions.as_view(), name="api-workspace-mentions"),
    path("workspace/colleagues", passing_on.Colleagues.as_view(), name="api-workspace-colleagues"),
    path(
        "workspace/conversations/<uuid:conversation>/destinations",
        passing_on.Destinations.as_view(),
        name="api-workspace-destinations",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/passed-on",
        passing_on.PassedOn.as_view(),
        name="api-workspace-passed-on",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/recalled/<int:seq>",
        passing_on.Original.as_view(),
        name="api-workspace-original",
    ),
    path(
        "workspace/dispositions",
        passing_on.Dispositions.as_view(),
        name="api-workspace-dispositions",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/canned-replies",
        canned.Worded.as_view(),
        name="api-workspace-canned-worded",
    ),
    path("workspace/canned-replies", canned.Own.as_view(), name="api-workspace-canned"),
    path(
        "workspace/canned-replies/<int:reply>",
        canned.OneOwn.as_view(),
        name="api-workspace-canned-one",
    ),
    path("workspace/conversations", inbox.Conversations.as_view(), name="api-workspace-lists"),
    path(
        "workspace/conversations/<uuid:conversation>",
        inbox.OneConversation.as_view(),
        name="api-workspace-conversation",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/labels/<int:label>",
        inbox.LabelOfConversation.as_view(),
        name="api-workspace-label",
    ),
    path("workspace/filters", inbox.AllFilters.as_view(), name="api-workspace-filters"),
    path("workspace/search", inbox.Search.as_view(), name="api-workspace-search"),
    path("workspace/monitor", supervision.Monitor.as_view(), name="api-workspace-monitor"),
    path(
        "workspace/conversations/<uuid:conversation>/whispers",
        supervision.Whispers.as_view(),
        name="api-workspace-whispers",
    ),
    path(
        "workspace/conversations/<uuid:conversation>/whisper",
        supervision.OneWhisper.as_view(),
        name="api-workspace-whisper",
    ),
]
