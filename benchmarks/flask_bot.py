"""Serves a function from text to intent the way small bots are deployed: Flask on threads."""

import logging
from collections.abc import Callable

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server


def serve(intent_of: Callable[[str], str], port: int) -> None:
    """Answer POST / {"text"} with {"intent", "reply"} for ever; "" hands over."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line a request
    app = Flask(__name__)

    @app.post("/")
    def ask() -> Response:
        intent = intent_of(request.get_json()["text"])
        return jsonify(intent=intent, reply=f"{intent}。" if intent else "正在为您转接人工客服。")

    # This server closes the connection after each answer; the client's connecting again counts.
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()
