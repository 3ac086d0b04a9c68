"""Admin pages that show and change nothing."""

from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """To stand before ModelAdmin: whoever may view the rows reads them, and nobody writes them here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
