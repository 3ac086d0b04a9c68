"""Only the admin's pages may evaluate scripts."""

import pytest
from django.test import Client

POLICY = "Content-Security-Policy"


@pytest.mark.django_db
def test_only_the_admin_has_the_weaker_policy(client: Client) -> None:
    admin, chat = client.get("/admin/login/")[POLICY], client.get("/")[POLICY]
    assert "'unsafe-eval'" in admin
    assert "unsafe" not in chat
    for policy in (admin, chat):
        script = next(part for part in policy.split(";") if "script-src" in part)
        assert "'unsafe-inline'" not in script
        assert "object-src 'none'" in policy
