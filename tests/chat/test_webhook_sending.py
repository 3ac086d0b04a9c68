"""Where webhooks go: public addresses only, the one that was checked, in bounded time."""

import datetime as dt
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from chat.webhooks import addresses, sending
from tests.chat.receiver import Receiver, listening

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LOOPBACK = ["127.0.0.0/8", "::1/128"]


@pytest.fixture(autouse=True)
def _plain(settings: Any) -> None:
    settings.WEBHOOK_HTTPS_ONLY = False
    settings.WEBHOOK_ALLOWED_NETWORKS = []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


def post(url: str, **options: Any) -> sending.Response:
    return sending.post(
        url, headers=[("webhook-id", "1")], body=b"{}", **{"timeout_s": 5.0, **options}
    )


# --- Addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",  # Alibaba Cloud's metadata
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # Azure's wire server
        "169.254.169.254",  # metadata of most clouds
        "169.254.170.2",  # of containers at AWS
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",  # of Oracle's cloud
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::ffff:127.0.0.1",
        "::ffff:a00:1",
        "::ffff:0:10.0.0.1",  # translated, RFC 2765
        "64:ff9b::a00:1",  # NAT64 of 10.0.0.1
        "64:ff9b:1::1",
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:a00:1::1",  # 6to4 of 10.0.0.1
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",  # AWS
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_public_is_refused(address: str):
    assert not addresses.is_permitted(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111"])
def test_what_is_public_is_permitted(address: str):
    assert addresses.is_permitted(ipaddress.ip_address(address))


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_permitted(address: Address):
    """The registry that Python carries is a second opinion, of which ours permits a part."""
    address = getattr(address, "ipv4_mapped", None) or address
    private = (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )
    assert not (addresses.is_permitted(address) and private)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "2002::"]))
def test_no_ipv6_address_reaches_what_its_ipv4_address_may_not(
    inner: ipaddress.IPv4Address, prefix: str
):
    shift = 80 if prefix == "2002::" else 0
    outer = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(inner) << shift)
    if addresses.is_permitted(outer):
        assert addresses.is_permitted(inner)
        assert outer.ipv4_mapped == inner


@given(st.ip_addresses(v=4), st.integers(min_value=8, max_value=32), st.ip_addresses(v=4))
def test_the_setting_allows_its_network_and_nothing_else(
    address: ipaddress.IPv4Address, bits: int, other: ipaddress.IPv4Address
):
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
    is_public = addresses.is_permitted(other)
    with override_settings(WEBHOOK_ALLOWED_NETWORKS=[str(network)]):
        assert addresses.is_permitted(address)
        assert addresses.is_permitted(other) == (is_public or other in network)


@given(st.lists(st.ip_addresses(v=4), min_size=1, max_size=5))
def test_one_refused_address_refuses_the_name(found: list[Address]):
    try:
        kept = addresses.permitted(found)
    except addresses.NotReachable:
        assert not all(map(addresses.is_permitted, found))
    else:
        assert kept == found


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "0x7f.1", "2130706433", "0", "017700000001", "[::1]"]
)
def test_no_spelling_of_loopback_gets_through(receiver: Receiver, host: str):
    port = receiver.url.rpartition(":")[2]

    response = post(f"http://{host}:{port}")

    assert response.code is None
    assert response.text
    assert receiver.received == []


# --- The connection ---------------------------------------------------------------------------


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Have a name resolve to one list of addresses after the other; gives what was asked for."""

    def answers(name: str, *in_turn: list[str]) -> list[str]:
        asked: list[str] = []
        real = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
            if host not in (name, name.encode()):
                return real(host, port, *rest, **options)
            found = in_turn[min(len(asked), len(in_turn) - 1)]
            asked.append(name)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answers


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(
    receiver: Receiver, resolver: Any, settings: Any
):
    """DNS rebinding: what it resolves to the second time matters to nobody."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    asked = resolver("hook.example", ["127.0.0.1"], ["127.0.0.2"])
    url = receiver.url.replace("127.0.0.1", "hook.example")

    assert post(url).code == 204

    assert asked == ["hook.example"]
    [request] = receiver.received
    assert request.headers["host"] == url.split("/")[2]


def test_a_name_that_also_points_inside_is_refused(receiver: Receiver, resolver: Any):
    resolver("hook.example", ["93.184.215.14", "127.0.0.1"])

    response = post(receiver.url.replace("127.0.0.1", "hook.example"))

    assert response.code is None
    assert "127.0.0.1" in response.text
    assert receiver.received == []


def test_the_next_address_is_tried_when_one_does_not_answer(
    receiver: Receiver, resolver: Any, settings: Any
):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    resolver("hook.example", ["127.0.0.9", "127.0.0.1"])  # nobody listens on the first

    assert post(receiver.url.replace("127.0.0.1", "hook.example")).code == 204


def test_a_name_without_an_address_is_told(resolver: Any):
    response = post("https://no-such-name.invalid/")
    assert response.code is None
    assert "no-such-name.invalid" in response.text


def test_a_redirect_is_not_followed(receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    with listening() as inside:
        receiver.code, receiver.location = 307, inside.url
        response = post(receiver.url)

    assert (response.code, response.is_delivered) == (307, False)
    assert inside.received == []


def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert post(receiver.url).code == 204


def test_of_a_long_answer_the_beginning_is_read(receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    receiver.code, receiver.body = 500, b"x" * 5_000_000

    response = post(receiver.url)

    assert (response.code, len(response.text)) == (500, sending.RESPONSE_MAX_BYTES)


def test_an_answer_byte_by_byte_ends_at_the_deadline(receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    receiver.drip_s = 0.05  # each byte well within any timeout between two reads
    began = time.monotonic()

    response = post(receiver.url, timeout_s=0.5)

    assert response.code is None
    assert 0.4 < time.monotonic() - began < 4.0  # the whole would take longer


def test_nobody_listening_is_told():
    with override_settings(WEBHOOK_ALLOWED_NETWORKS=LOOPBACK):
        response = post("http://127.0.0.1:1/")
    assert response.code is None
    assert "ConnectError" in response.text


# --- TLS --------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> Path:
    """Write a key and a certificate of one host, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Receiver, Path]]:
    """A receiver whose certificate is that of hook.example."""
    path = certificate(tmp_path, "hook.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with listening(context) as one:
        yield one, path


@pytest.mark.parametrize(
    ("name", "is_trusted", "code"),
    [
        ("hook.example", True, 204),
        ("hook.example", False, None),
        ("other.example", True, None),  # the address is right, the name is not
    ],
)
def test_tls_verifies_the_name_not_the_address(
    secure: tuple[Receiver, Path],
    resolver: Any,
    settings: Any,
    name: str,
    is_trusted: bool,
    code: int | None,
):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    receiver, path = secure
    resolver(name, ["127.0.0.1"])
    trusted = ssl.create_default_context(cafile=str(path)) if is_trusted else None

    response = post(receiver.url.replace("127.0.0.1", name), tls=trusted)

    assert response.code == code
    if code is None:
        assert "certificate" in response.text.lower()
        assert receiver.received == []
