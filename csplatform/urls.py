"""Every address of the platform. Each view states its roles (csplatform/roles.py)."""

from django.contrib import admin
from django.urls import include, path

from chat import pages, widget
from csplatform import health, login, schema

urlpatterns = [
    path("", pages.customer_page, name="customer-page"),
    path("widget/", widget.page, name="widget"),
    path("widget.js", widget.script, name="widget-script"),
    path("demo-shop/", pages.demo_shop, name="demo-shop"),
    path("", include("chat.workspace.urls")),
    path("api/login", login.Login.as_view(), name="api-login"),
    path("api/login/refresh", login.Refresh.as_view(), name="api-login-refresh"),
    path("api/", include("chat.api.urls")),
    path("api/", include("intents.api.urls")),
    path("api/schema/", schema.Schema.as_view(), name="api-schema"),
    path("api/docs/", schema.Docs.as_view(url_name="api-schema"), name="api-docs"),
    path("healthz", health.Alive.as_view(), name="healthz"),
    path("readyz", health.Ready.as_view(), name="readyz"),
    path("metrics", health.Metrics.as_view(), name="metrics"),
    path("admin/", admin.site.urls),
]
