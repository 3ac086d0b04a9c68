"""The administrator's pages: who may come in, and which programs."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_celery_results.models import GroupResult, TaskResult
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultiple

from csplatform.models import ServiceToken, digest
from csplatform.read_only import ReadOnly
from csplatform.roles import Role

# Results of tasks are for programs; people read "Long texts".
for _results in (TaskResult, GroupResult):
    admin.site.unregister(_results)

ROLE_NAMES = {
    Role.EDITOR: _("business editor"),
    Role.REVIEWER: _("reviewer"),
    Role.AGENT: _("agent"),
    Role.SUPERVISOR: _("supervisor"),
    Role.ADMINISTRATOR: _("administrator"),
}
ROLE_DUTIES = {
    Role.EDITOR: _("Writes intents, replies, utterances, phrases and sensitive words."),
    Role.REVIEWER: _("Reads content and logs, adds and labels utterances."),
    Role.AGENT: _("Answers customers in the workspace; does not come into the admin."),
    Role.SUPERVISOR: _("Reads everything including conversations, and works in the workspace."),
    Role.ADMINISTRATOR: _("May do everything, including models, users and tokens."),
}
# Whoever has one of these may open the admin; what he sees there his permissions decide.
ADMIN_ROLES = (Role.EDITOR, Role.REVIEWER, Role.SUPERVISOR, Role.ADMINISTRATOR)


def role_name(group: Group) -> str:
    """Return a group's name in the reader's language."""
    return str(ROLE_NAMES.get(group.name, group.name))  # type: ignore[call-overload]


class RoleFilter(admin.RelatedFieldListFilter):
    """People by role, under the roles' names in the reader's language."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("roles")

    def field_choices(self, field: Any, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(group.pk), role_name(group)) for group in Group.objects.order_by("pk")]


class RolesField(forms.ModelMultipleChoiceField):
    """The roles of a person, one checkbox each, with what the role is for."""

    def label_from_instance(self, obj: models.Model) -> str:
        assert isinstance(obj, Group)  # noqa: S101  (the queryset's model)
        duty = ROLE_DUTIES.get(obj.name)  # type: ignore[call-overload]
        return f"{role_name(obj)} — {duty}" if duty else role_name(obj)


class PersonForm(UserChangeForm):
    """A user; the administrator cannot lock himself out."""

    # Set by the admin for the request at hand.
    is_oneself = False

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.is_oneself or self.instance.is_superuser:
            return cleaned
        if not cleaned.get("is_active", True):
            self.add_error("is_active", _("You cannot shut out yourself."))
        groups = cleaned.get("groups")
        if groups is not None and Role.ADMINISTRATOR not in {group.name for group in groups}:
            self.add_error("groups", _("You cannot take the administrator's role from yourself."))
        return cleaned


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """People of the company. They are shut out, not deleted: messages bear their names."""

    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "roles", "is_active", "last_login")
    list_filter = ("is_active", ("groups", RoleFilter))
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("May do"), {"fields": ("is_active", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "first_name", "password1", "password2", "groups")}),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Whoever sets a superuser's password becomes one.
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def formfield_for_manytomany(
        self, db_field: models.ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name != "groups":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        return RolesField(
            queryset=Group.objects.order_by("pk"),
            widget=UnfoldAdminCheckboxSelectMultiple,
            required=False,
            label=_("Roles"),
        )

    # Django's own UserAdmin takes `change` by keyword only, other than its base class.
    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        form = super().get_form(request, obj, **kwargs)
        if issubclass(form, PersonForm):
            form.is_oneself = obj is not None and obj.pk == request.user.pk
        return form

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Sequence[Any], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        person = form.instance
        person.is_staff = person.is_superuser or person.groups.filter(name__in=ADMIN_ROLES).exists()
        person.save(update_fields=["is_staff"])
        if not person.is_superuser and not person.groups.exists():
            self.message_user(
                request,
                _("%(name)s has no role and may do nothing yet: choose one on the user's page.")
                % {"name": person.get_username()},
                messages.WARNING,
            )

    @display(description=_("name"))
    def full_name(self, person: User) -> str:
        return person.get_full_name() or "—"

    @display(description=_("roles"))
    def roles(self, person: User) -> str:
        names = [role_name(group) for group in person.groups.all()]
        if person.is_superuser:
            names.append(gettext("superuser"))
        return ", ".join(names) or "—"


@admin.register(Group)
class GroupAdmin(ReadOnly, DjangoGroupAdmin, ModelAdmin):
    """The five roles. Migrations make them; here one sees who has which."""

    list_display = ("role", "duty", "members")
    fields = ("role", "duty", "members")
    readonly_fields = ("role", "duty", "members")
    search_fields = ()
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Group]:
        return super().get_queryset(request).prefetch_related("user_set")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        group = self.get_object(request, object_id)
        named = {"subtitle": role_name(group)} if group else {}
        return super().change_view(request, object_id, form_url, {**named, **(extra_context or {})})

    @display(description=_("role"))
    def role(self, group: Group) -> str:
        return role_name(group)

    @display(description=_("what it is for"))
    def duty(self, group: Group) -> str:
        return str(ROLE_DUTIES.get(group.name, "—"))  # type: ignore[call-overload]

    @display(description=_("people"))
    def members(self, group: Group) -> str:
        return ", ".join(sorted(person.username for person in group.user_set.all())) or "—"


@admin.register(ServiceToken)
class ServiceTokenAdmin(ModelAdmin):
    """Tokens of programs: the secret is shown once, after that one can only revoke it."""

    list_display = ("name", "state", "created_by", "created_at", "revoked_at")
    list_select_related = ("created_by",)
    search_fields = ("name",)
    ordering = ("-created_at",)
    change_form_outer_before_template = "admin/csplatform/servicetoken/revoke.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:pk>/revoke/",
                self.admin_site.admin_view(self.revoke),
                name="csplatform_servicetoken_revoke",
            ),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("name", "validity", "created_by", "created_at", "revoked_at") if obj else ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        secret = ServiceToken.new_secret()
        obj.digest, obj.created_by, obj.created_at = digest(secret), request.user, timezone.now()
        super().save_model(request, obj, form, change)
        request.service_token_secret = secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret on this very page: a redirect would have to keep it somewhere."""
        return TemplateResponse(
            request,
            "admin/csplatform/servicetoken/made.html",
            {
                **self.admin_site.each_context(request),
                "title": gettext("Service token of %(name)s") % {"name": obj.name},
                "opts": self.opts,
                "secret": request.service_token_secret,  # type: ignore[attr-defined]
                "changelist_url": reverse("admin:csplatform_servicetoken_changelist"),
            },
        )

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shut out the program that has this token, at once and for good."""
        if not request.user.has_perm("csplatform.change_servicetoken"):
            raise PermissionDenied
        token = get_object_or_404(ServiceToken, pk=pk)
        if request.method == "POST":
            revoked = ServiceToken.objects.filter(pk=pk, revoked_at=None)
            if revoked.update(revoked_at=timezone.now()):
                self.log_change(request, token, gettext("Revoked."))
                self.message_user(request, _("Revoked: the token is refused from now on."))
        return redirect("admin:csplatform_servicetoken_change", pk)

    @display(
        description=_("state"),
        label={"valid": "success", "revoked": "danger"},
    )
    def state(self, token: ServiceToken) -> tuple[str, str]:
        return ("revoked" if token.revoked_at else "valid"), self.validity(token)

    @display(description=_("state"))
    def validity(self, token: ServiceToken) -> str:
        return gettext("revoked") if token.revoked_at else gettext("valid")
