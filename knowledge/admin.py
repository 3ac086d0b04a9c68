"""The shop's customers, orders, products and rules, as its staff look them up."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from knowledge.labels import CATEGORIES, LEVELS, RULE_KINDS, label
from knowledge.models import Customer, Order, OrderLine, Product, Rule


class LabelledFilter(admin.AllValuesFieldListFilter):
    """The values that a column has, by what they are called."""

    labels: ClassVar[dict[str, Any]]

    def choices(self, changelist: Any) -> Iterator[Any]:
        everything, *values = super().choices(changelist)
        yield everything
        for value in values:
            yield {**value, "display": label(self.labels, str(value["display"]))}


class CategoryFilter(LabelledFilter):
    labels = CATEGORIES


class LevelFilter(LabelledFilter):
    labels = LEVELS


class KindFilter(LabelledFilter):
    labels = RULE_KINDS


class CodesAdmin(ModelAdmin):
    """Says below each field that takes a code which codes there are, and what they mean."""

    codes: ClassVar[dict[str, dict[str, Any]]]

    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if labels := self.codes.get(db_field.name):
            kwargs["help_text"] = " · ".join(f"{code} = {name}" for code, name in labels.items())
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class OrderInline(TabularInline):
    """A customer's orders, newest first; each is changed on its own page."""

    model = Order
    fields = ("number", "status", "placed_at", "total", "currency")
    readonly_fields = fields
    ordering = ("-placed_at",)
    extra = 0
    per_page = 20
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Customer)
class CustomerAdmin(CodesAdmin):
    codes: ClassVar = {"level": LEVELS}
    list_display = ("uid", "name", "language", "level_name", "country", "joined_on")
    list_filter = ("language", ("level", LevelFilter), "country")
    search_fields = ("uid", "name")
    list_per_page = 50
    ordering = ("uid",)
    inlines = (OrderInline,)

    @display(description=_("membership level"), ordering="level")
    def level_name(self, customer: Customer) -> str:
        return label(LEVELS, customer.level)


class OrderLineInline(TabularInline):
    model = OrderLine
    extra = 0
    autocomplete_fields = ("product",)


@admin.register(Order)
class OrderAdmin(ModelAdmin):
    list_display = ("number", "customer", "state", "placed_at", "total", "currency", "carrier")
    list_filter = ("status", "carrier", "currency")
    list_select_related = ("customer",)
    search_fields = ("number", "tracking_number", "customer__uid", "customer__name")
    ordering = ("-placed_at",)
    list_per_page = 50
    autocomplete_fields = ("customer",)
    inlines = (OrderLineInline,)

    @display(
        description=_("status"),
        ordering="status",
        label={
            Order.Status.UNPAID: "warning",
            Order.Status.PAID: "info",
            Order.Status.SHIPPED: "info",
            Order.Status.CUSTOMS: "warning",
            Order.Status.DELIVERED: "success",
            Order.Status.CANCELLED: "danger",
            Order.Status.REFUNDED: "danger",
        },
    )
    def state(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()


@admin.register(Product)
class ProductAdmin(CodesAdmin):
    codes: ClassVar = {"category": CATEGORIES}
    list_display = ("sku", "name_zh", "name_en", "category_name", "price", "currency", "stock")
    list_filter = (("category", CategoryFilter), "origin")
    search_fields = ("sku", "name_zh", "name_en")
    list_per_page = 50
    ordering = ("sku",)

    @display(description=_("category"), ordering="category")
    def category_name(self, product: Product) -> str:
        return label(CATEGORIES, product.category)


@admin.register(Rule)
class RuleAdmin(CodesAdmin):
    codes: ClassVar = {"kind": RULE_KINDS, "category": CATEGORIES}
    list_display = ("code", "kind_name", "category_name", "days", "amount", "text_zh")
    list_filter = (("kind", KindFilter), ("category", CategoryFilter))
    search_fields = ("code", "text_zh", "text_en")
    ordering = ("code",)

    @display(description=_("kind"), ordering="kind")
    def kind_name(self, rule: Rule) -> str:
        return label(RULE_KINDS, rule.kind)

    @display(description=_("category"), ordering="category")
    def category_name(self, rule: Rule) -> str:
        return label(CATEGORIES, rule.category)
