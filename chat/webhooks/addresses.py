"""Where webhooks may go: http(s) to public addresses, and to networks that a setting names.

Whoever writes an endpoint's address must not make this machine speak to what only it can
reach: the database, the cache, other machines of the company, the cloud's metadata service.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_MAX_CHARS = 500
# A name, also one without dots of a network of one's own, or an address.
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,252})|[0-9a-f:.]{2,45}", re.ASCII)
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f\\]")
# IANA IPv4 Special-Purpose Address Registry, multicast (RFC 5771), and addresses that are public
# by number but answer only inside a cloud.
_REFUSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT; metadata of Alibaba Cloud (100.100.100.200)
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local; metadata of most clouds (169.254.169.254)
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; metadata of Oracle Cloud (192.0.0.192)
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "168.63.129.16/32",  # Azure's wire server
        ),
    )
)
# Of IPv6 only what is global unicast (RFC 4291, IANA: 2000::/3), without what carries an IPv4
# address or is assigned to protocols.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments; Teredo (2001::/32)
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)


class NotReachable(Exception):
    """An address that webhooks do not go to; says why, for staff."""


def checked_url(url: str) -> str:
    """Return an endpoint's address in the form in which it is kept: ASCII throughout.

    What its name resolves to is judged when something is sent (`permitted`): a name can point
    elsewhere by then.

    Raises:
        ValidationError: It is no address that webhooks may go to.
    """
    parts, host = _split(url.strip())
    if parts.scheme not in ("https", "http"):
        raise ValidationError(_("It must begin with https:// or http://."))
    if parts.scheme == "http" and settings.WEBHOOK_HTTPS_ONLY:
        raise ValidationError(_("It must begin with https://."))
    if "@" in parts.netloc:
        raise ValidationError(_("A user name or password cannot be part of the address."))
    if parts.fragment:
        raise ValidationError(_("Leave out what follows the “#”."))
    try:
        permitted([ipaddress.ip_address(host)])
    except ValueError:
        pass  # a name
    except NotReachable as reason:
        raise ValidationError(str(reason)) from None
    netloc = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        netloc = f"{netloc}:{parts.port}"
    kept = iri_to_uri(urlunsplit(parts._replace(netloc=netloc, path=parts.path or "/")))
    if len(kept) > URL_MAX_CHARS:
        raise ValidationError(
            _("The address is too long: at most %(most)s characters.") % {"most": URL_MAX_CHARS}
        )
    return kept


def _split(url: str) -> tuple[SplitResult, str]:
    """Return the parts of an address, and its host as the resolver takes it."""
    try:
        parts = urlsplit(url)
        _port = parts.port  # raises where it is none
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        host = ""
    if not _HOST.fullmatch(host) or _UNWRITABLE.search(url):
        raise ValidationError(_("This is not an address: https://shop.example/hook would be one."))
    return parts, host


def resolved(host: str, port: int) -> list[Address]:
    """Look a name up, once.

    Raises:
        NotReachable: It has no address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReachable(
            _("The name %(host)s has no address (%(error)s).") % {"host": host, "error": error}
        ) from None
    # A scope ("fe80::1%eth0") belongs to a link, and nothing that has one is permitted.
    plain = (str(entry[4][0]).partition("%")[0] for entry in found)
    return list(dict.fromkeys(map(ipaddress.ip_address, plain)))


def permitted(found: Iterable[Address]) -> list[Address]:
    """Return the addresses to connect to, IPv4 inside IPv6 unpacked.

    All of them must be permitted: a name that also points inside is nobody's mistake.

    Raises:
        NotReachable: One of them is not; it is named.
    """
    addresses = [_unpacked(address) for address in found]
    for address in addresses:
        if not is_permitted(address):
            raise NotReachable(
                _(
                    "%(address)s is not a public address. WEBHOOK_ALLOWED_NETWORKS can allow "
                    "a network of your own."
                )
                % {"address": address}
            )
    return addresses


def is_permitted(address: Address) -> bool:
    """Whether webhooks may go there: a public address, or in WEBHOOK_ALLOWED_NETWORKS."""
    address = _unpacked(address)
    if any(address in network for network in _allowed(tuple(settings.WEBHOOK_ALLOWED_NETWORKS))):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)


def _unpacked(address: Address) -> Address:
    """::ffff:10.0.0.1 reaches 10.0.0.1."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=8)
def _allowed(networks: tuple[str, ...]) -> Sequence[Network]:
    return tuple(map(ipaddress.ip_network, networks))
