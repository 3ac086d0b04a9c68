"""Settings from the environment: what is taken, and what stops the start with a clear sentence."""

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection

from csplatform import env


def test_a_file_wins_over_the_variable(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("from the file\n", encoding="utf-8")
    monkeypatch.setenv("SOME_KEY", "from the variable")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "key"))

    assert env.text("SOME_KEY") == "from the file"


def test_a_file_that_is_missing_stops_the_start(monkeypatch):
    monkeypatch.setenv("SOME_KEY_FILE", "/nowhere/key")

    with pytest.raises(ImproperlyConfigured, match=r"SOME_KEY_FILE='/nowhere/key' cannot be read"):
        env.text("SOME_KEY", "default")


def test_a_setting_without_value_and_default_is_asked_for(monkeypatch):
    monkeypatch.delenv("SOME_KEY", raising=False)

    with pytest.raises(ImproperlyConfigured, match=r"Set SOME_KEY \(or SOME_KEY_FILE\)"):
        env.text("SOME_KEY")


def test_a_dotenv_file_fills_in_what_the_process_does_not_have(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("SOME_PORT=1\nSOME_HOST=from file\n", encoding="utf-8")
    monkeypatch.setenv("SOME_PORT", "2")
    monkeypatch.setenv("SOME_HOST", "")
    monkeypatch.delenv("SOME_HOST")

    env.load(tmp_path / ".env")

    assert env.text("SOME_PORT") == "2"
    assert env.text("SOME_HOST") == "from file"


@pytest.mark.parametrize("value", ["true", "1", "yes", "on", "", "TRUE"])
def test_a_flag_is_true_or_false_and_nothing_like_it(monkeypatch, value):
    """`DEBUG=false` that counts as true has opened many a server."""
    monkeypatch.setenv("SOME_FLAG", value)

    with pytest.raises(ImproperlyConfigured, match="use one of True, False"):
        env.flag("SOME_FLAG", default=False)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("eight", "use a number"),
        ("1.5", "use a whole number"),
        ("0", "from 1 to 65535"),
        ("65536", "from 1 to 65535"),
        ("nan", "from 1 to 65535"),
        ("inf", "from 1 to 65535"),
    ],
)
def test_a_count_outside_its_range_is_refused(monkeypatch, value, sentence):
    monkeypatch.setenv("SOME_COUNT", value)

    with pytest.raises(ImproperlyConfigured, match=sentence):
        env.count("SOME_COUNT", 8000, least=1, most=65535)


@given(value=st.integers(min_value=0, max_value=2**31))
def test_every_count_in_range_is_taken_as_it_is(value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_COUNT", str(value))
        assert env.count("SOME_COUNT", 0) == value


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_is_within_its_range_or_refused(value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_NUMBER", repr(value))
        try:
            assert 0 <= env.number("SOME_NUMBER", 0.5, most=1.0) <= 1
        except ImproperlyConfigured:
            assert not 0 <= value <= 1


@given(parts=st.lists(st.text(alphabet="abc .:-", max_size=8)))
def test_a_list_has_no_empty_entries(parts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_NAMES", ",".join(parts))
        names = env.names("SOME_NAMES", "")

    assert names == [part.strip() for part in parts if part.strip()]


def test_origins_are_written_as_a_browser_writes_them(monkeypatch):
    monkeypatch.setenv(
        "SOME_ORIGINS", "https://Shop.example/, http://10.0.0.7:8080,https://a.b:443"
    )

    assert env.origins("SOME_ORIGINS", "") == [
        *("https://shop.example", "http://10.0.0.7:8080", "https://a.b")
    ]


@pytest.mark.parametrize(
    "value",
    [
        *("shop.example", "https://*.shop.example", "*", "https://shop.example/path", "https://"),
        *("https://a b", "https://me@shop.example", "https://shop.example:x", "null"),
        *("https://a.b?x", "https://a.b#x", "https://a.b;script-src", "https://a.b:99999"),
        "https://店.cn",
    ],
)
def test_what_is_no_origin_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("SOME_ORIGINS", value)

    with pytest.raises(ImproperlyConfigured, match="use origins such as"):
        env.origins("SOME_ORIGINS", "")


def test_a_url_of_another_kind_is_refused_with_the_kinds(monkeypatch):
    monkeypatch.setenv("SOME_URL", "http://cache")

    with pytest.raises(ImproperlyConfigured, match="must begin with one of redis://, unix://"):
        env.url("SOME_URL", "", ("redis", "unix"))


@pytest.mark.parametrize(
    ("url", "engine", "name"),
    [
        ("sqlite:////data/db.sqlite3", "sqlite3", "/data/db.sqlite3"),
        ("postgres://me:p%40ss@db:5433/shop", "postgresql", "shop"),
        ("mysql://me@db/shop", "mysql", "shop"),
    ],
)
def test_a_database_url_becomes_djangos_settings(monkeypatch, url, engine, name):
    monkeypatch.setenv("SOME_DATABASE", url)

    database = env.database("SOME_DATABASE", "")

    assert database["ENGINE"] == f"django.db.backends.{engine}"
    assert database["NAME"] == name
    if engine == "postgresql":
        assert (database["PASSWORD"], database["PORT"]) == ("p@ss", 5433)


SERVERS = st.one_of(
    st.builds(
        "redis://{}:{}".format, st.sampled_from(["valkey", "10.0.0.1"]), st.integers(1, 9999)
    ),
    st.builds("redis://:{}@valkey".format, st.text(alphabet="abcXYZ019", min_size=1)),
    st.builds("unix:///{}/valkey.sock".format, st.text(alphabet="abc-._", min_size=1)),
    st.builds("redis://valkey:6379/{}".format, st.integers(0, 9)),
)


@given(server=SERVERS, number=st.integers(0, 15))
def test_each_use_gets_its_database_of_the_same_server(server, number):
    url = env.redis_database(server, number)

    made, given_ = (redis.ConnectionPool.from_url(one).connection_kwargs for one in (url, server))
    assert made["db"] == number
    for key in ("host", "port", "password", "path"):
        assert made.get(key) == given_.get(key)


@pytest.mark.parametrize("number", [0, 1, 15])
def test_celery_reaches_the_same_socket_and_database(valkey, number):
    url = env.redis_database(f"unix://{valkey.socket}", number)

    with Connection(env.celery_url(url)) as connection:
        client = connection.default_channel.client
        client.client_setname("celery-of-this-test")
        session = client.client_info()

    assert session["db"] == number
    assert session["name"] == "celery-of-this-test"


def test_celery_takes_other_urls_as_they_are():
    assert env.celery_url("redis://valkey:6379/1") == "redis://valkey:6379/1"
