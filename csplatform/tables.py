"""Tables as CSV files that spreadsheets open as they were written."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# With these a spreadsheet takes a text for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Without it Excel reads UTF-8 as something else.
_BYTE_ORDER_MARK = "\ufeff"


def csv_download(name: str, rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """Return rows as a file to save, written while it is sent.

    Args:
        name: Of the file, ASCII.
    """
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    out = io.StringIO(_BYTE_ORDER_MARK)
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
