"""How pages write numbers."""

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """Write a share between 0 and 1 as percent with one decimal; "—" where there is none."""
    return "—" if share is None else f"{100 * share:.1f} %"
