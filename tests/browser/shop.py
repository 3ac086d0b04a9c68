"""A shop of somebody else: one page with the widget's tag, on an origin and a policy of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

# As strict as a shop's can be: no style and no script that does not come from where it says.
_POLICY = (
    "default-src 'none'; img-src data:; script-src {chat}; frame-src {chat}; style-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Another shop</title>
<script async src="{chat}/widget.js" {attributes}></script>
</head>
<body><main><h1>Another shop</h1><button>Buy</button></main></body>
</html>"""


class Shop:
    """Serves every address with the same page; what a query names become the tag's attributes."""

    def __init__(self, chat: str, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = parse_qsl(urlsplit(self.path).query)
                attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in asked)
                body = _PAGE.format(chat=chat, attributes=attributes).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", _POLICY.format(chat=chat))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = int(self.server.server_address[1])

    def page(self, host: str = "127.0.0.1", **attributes: str) -> str:
        """Return an address: of the chat's own site (127.0.0.1), or of another one (localhost)."""
        return f"http://{host}:{self.port}/?{urlencode(attributes)}"


@contextmanager
def open_shop(chat: str, port: int = 0) -> Iterator[Shop]:
    """Have a shop open; port 0 takes a free one, which is none of WIDGET_ORIGINS."""
    shop = Shop(chat, port)
    thread = threading.Thread(target=shop.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        shop.server.shutdown()
        shop.server.server_close()
        thread.join()
