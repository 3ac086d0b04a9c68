"""People and tokens in the admin."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from csplatform.models import ServiceToken
from csplatform.roles import Role
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(
        StaffFactory(role="administrator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def test_a_tokens_page_tells_its_state_in_words(administrator: Client) -> None:
    token = ServiceToken.objects.create(name="crm", digest="0" * 64)
    url = reverse("admin:csplatform_servicetoken_change", args=[token.pk])
    page = administrator.get(url).content.decode()
    assert "有效" in page
    assert "&#x27;valid&#x27;" not in page
    assert "('valid'" not in page
    assert "Created by" not in page
    assert (
        "有效"
        in administrator.get(reverse("admin:csplatform_servicetoken_changelist")).content.decode()
    )


def test_people_are_filtered_by_roles_in_the_readers_language(administrator: Client) -> None:
    editor = StaffFactory(role=Role.EDITOR)
    url = reverse("admin:auth_user_changelist")
    page = administrator.get(url).content.decode()
    for name in ("业务编辑", "审核员", "客服", "主管", "管理员"):
        assert re.search(rf'title="{name}"|>\s*{name}\s*<', page), name
    assert "business editor" not in page
    group = Group.objects.get(name=Role.EDITOR)
    found = administrator.get(url, {"groups__id__exact": group.pk}).context["cl"].result_list
    assert list(found) == [editor]


@pytest.mark.parametrize("role", [None, Role.AGENT])
def test_whoever_saves_a_person_without_a_role_is_warned(
    administrator: Client, role: Role | None
) -> None:
    data = {"username": "nina", "password1": "long-Enough-1", "password2": "long-Enough-1"}
    groups = [Group.objects.get_or_create(name=role)[0].pk] if role else []
    response = administrator.post(
        reverse("admin:auth_user_add"), {**data, "first_name": "", "groups": groups}
    )
    assert response.status_code == 302
    assert User.objects.filter(username="nina").exists()
    warned = [m for m in get_messages(response.wsgi_request) if m.level_tag == "warning"]
    assert len(warned) == (0 if role else 1)


@pytest.mark.parametrize("name", ["index", "auth_user_changelist", "auth_user_add"])
def test_scrollable_parts_are_named_in_the_pages_language(administrator: Client, name: str) -> None:
    page = administrator.get(reverse(f"admin:{name}"), headers={"accept-language": "en"})
    assert re.search(
        r'<script src="[^"]*scrolling[^"]*" data-label="Scrollable content">', page.content.decode()
    )


def test_a_roles_page_bears_its_name_in_the_readers_language(administrator: Client) -> None:
    group = Group.objects.get_or_create(name=Role.EDITOR)[0]
    page = administrator.get(reverse("admin:auth_group_change", args=[group.pk])).content.decode()
    assert "业务编辑" in page
    assert "business editor" not in page
