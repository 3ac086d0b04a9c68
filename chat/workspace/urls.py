"""Addresses of the agents' pages."""

from django.urls import path

from chat.workspace import supervision, views

urlpatterns = [
    path("workspace/", views.workspace, name="workspace"),
    path("workspace/token", views.token, name="workspace-token"),
    path("workspace/monitor/", supervision.monitor, name="workspace-monitor"),
    path("workspace/reports/", supervision.report, name="workspace-reports"),
    path("workspace/reports/csv", supervision.report_csv, name="workspace-reports-csv"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
]
