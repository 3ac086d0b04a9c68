"""Enter China's holidays and make-up workdays of some years."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from chat.services import special_days


class Command(BaseCommand):
    help = (
        "Enter China's holidays and make-up workdays, this year's and the next one's unless years "
        "are named. Safe to repeat: days that are there stay as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("years", nargs="*", type=int, metavar="YEAR")

    def handle(self, *args: Any, years: list[int], **options: Any) -> None:
        this_year = timezone.localdate().year
        for year in years or (this_year, this_year + 1):
            if year not in special_days.published_years():
                self.stdout.write(
                    f"{year}: not known to the package chinesecalendar. Upgrade it once the year "
                    "is published (each November), or enter the days in the admin."
                )
            else:
                self.stdout.write(f"{year}: {special_days.load([year])} days entered.")
