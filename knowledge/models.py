"""The shop's customers, orders, products and rules: the source of truth for facts."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Customer(models.Model):
    """Somebody who buys in the shop."""

    uid = models.CharField(_("uid"), max_length=64, unique=True)  # the shop's own id of him
    name = models.CharField(_("name"), max_length=80)
    language = models.CharField(
        _("language"), max_length=2, choices=[("zh", _("Chinese")), ("en", _("English"))]
    )
    level = models.CharField(_("membership level"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2)  # ISO 3166-1 alpha-2
    joined_on = models.DateField(_("joined on"))

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return f"{self.name} ({self.uid})"


class Product(models.Model):
    """Something the shop sells."""

    sku = models.CharField(_("SKU"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=120)
    name_en = models.CharField(_("English name"), max_length=120)
    category = models.CharField(_("category"), max_length=40)
    price = models.DecimalField(_("price"), max_digits=10, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")  # ISO 4217
    stock = models.PositiveIntegerField(_("in stock"), default=0)
    warranty_months = models.PositiveSmallIntegerField(_("warranty (months)"), default=0)
    origin = models.CharField(_("country of origin"), max_length=2)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return f"{self.name_zh} ({self.sku})"


class Order(models.Model):
    """What a customer bought at one time, and how far it is."""

    class Status(models.TextChoices):
        UNPAID = "UNPAID", _("awaiting payment")
        PAID = "PAID", _("paid")
        SHIPPED = "SHIPPED", _("shipped")
        CUSTOMS = "CUSTOMS", _("in customs")
        DELIVERED = "DELIVERED", _("delivered")
        CANCELLED = "CANCELLED", _("cancelled")
        REFUNDED = "REFUNDED", _("refunded")

    number = models.CharField(_("order number"), max_length=32, unique=True)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="orders", verbose_name=_("customer")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status)
    placed_at = models.DateTimeField(_("placed at"))
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    carrier = models.CharField(_("carrier"), max_length=40, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=40, blank=True)
    total = models.DecimalField(_("total"), max_digits=10, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    duty = models.DecimalField(_("import duty"), max_digits=10, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        indexes = [
            # order_in_question(): reply variables of every answer that names an order
            models.Index(fields=["customer", "-placed_at"], name="knowledge_latest_order"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One product in an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", verbose_name=_("order"))
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="+", verbose_name=_("product")
    )
    quantity = models.PositiveSmallIntegerField(_("quantity"), default=1)
    unit_price = models.DecimalField(_("unit price"), max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(fields=["order", "product"], name="knowledge_product_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order}: {self.quantity} × {self.product}"


class Rule(models.Model):
    """A promise of the shop, such as "price protection within 15 days"."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=30)  # price_protection, returns, warranty, …
    category = models.CharField(  # of products; empty for all
        _("category"), max_length=40, blank=True
    )
    days = models.PositiveSmallIntegerField(_("days"), null=True, blank=True)
    amount = models.DecimalField(
        _("amount"), max_digits=10, decimal_places=2, null=True, blank=True
    )
    text_zh = models.TextField(_("Chinese text"))
    text_en = models.TextField(_("English text"))

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")

    def __str__(self) -> str:
        return self.code
