"""Keeps a request on one thread from the first middleware to the view."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


def one_thread(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Stand innermost, and do nothing but be synchronous.

    Under ASGI, Django runs each middleware that could be asynchronous as a coroutine, which
    then calls its own synchronous parts on a thread, twice a request. One that is
    synchronous, innermost, makes all those around it run as plain calls on one thread
    (BaseHandler.load_middleware builds from the inside outwards).
    """
    return get_response
