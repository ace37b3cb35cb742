"""A wrong setting stops the start with a sentence that says what to set."""

import pytest

from config.env import (
    WrongSetting,
    env_bool,
    env_database,
    env_email,
    env_int,
    env_list,
    env_secret,
    env_secrets,
    env_str,
    env_url,
    production,
)

LONG = "k" * 40


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch):
    return monkeypatch.setenv


def test_a_missing_value_names_the_variable():
    with pytest.raises(WrongSetting, match="Set NOT_THERE"):
        env_str("NOT_THERE")


def test_empty_counts_as_unset(put):
    put("X", "  ")
    assert env_str("X", "default") == "default"
    assert env_int("X", 3) == 3
    assert env_bool("X", True) is True
    assert env_list("X", ["a"]) == ["a"]


@pytest.mark.parametrize(
    ("text", "meant"), [("1", True), ("YES", True), ("on", True), ("0", False), ("No", False)]
)
def test_yes_and_no(put, text, meant):
    put("X", text)
    assert env_bool("X") is meant


@pytest.mark.parametrize("text", ["2", "maybe", "-"])
def test_neither_yes_nor_no(put, text):
    put("X", text)
    with pytest.raises(WrongSetting, match="1 \\(yes\\) or 0"):
        env_bool("X")


@pytest.mark.parametrize("text", ["1.5", "ten", "--1", "١٢", ""])
def test_no_whole_number(put, text):
    put("X", text)
    with pytest.raises(WrongSetting, match="whole number"):
        env_int("X")


def test_a_number_out_of_range(put):
    put("X", "70000")
    with pytest.raises(WrongSetting, match="65535 or less"):
        env_int("X", most=65535)
    put("X", "-1")
    with pytest.raises(WrongSetting, match="0 or more"):
        env_int("X", least=0)


def test_a_list_drops_blanks(put):
    put("X", " a, ,b ,")
    assert env_list("X") == ["a", "b"]


def test_development_has_secrets_and_production_has_none(put, monkeypatch):
    monkeypatch.delenv("S", raising=False)
    put("MALL_ENV", "development")
    assert env_secret("S", development="dev") == "dev"
    put("MALL_ENV", "production")
    assert production()
    with pytest.raises(WrongSetting, match="Set S to a secret"):
        env_secret("S", development="dev")


@pytest.mark.parametrize("value", ["dev", "short", f"{LONG},short"])
def test_production_refuses_weak_secrets(put, value):
    put("MALL_ENV", "production")
    put("S", value)
    with pytest.raises(WrongSetting) as refused:
        env_secrets("S", development=["dev"])
    assert "short" not in str(refused.value)


def test_the_current_secret_stands_first(put):
    put("MALL_ENV", "production")
    put("S", f"{LONG}1, {LONG}2")
    assert env_secrets("S", development=["dev"]) == [f"{LONG}1", f"{LONG}2"]


def test_an_unknown_mode(put):
    put("MALL_ENV", "staging")
    with pytest.raises(WrongSetting, match="development, production"):
        production()


def test_a_wrong_url_is_not_repeated(put):
    put("U", "mysql://me:hunter2@host/db")
    with pytest.raises(WrongSetting) as refused:
        env_url("U", schemes=("postgresql", "postgres"))
    assert "hunter2" not in str(refused.value)


def test_a_database_url(put):
    put("U", "postgres://me:p%40ss@db.example:6432/mall?sslmode=require")
    assert env_database("U") == {
        "NAME": "mall",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_database_behind_a_socket(put):
    put("U", "postgresql:///mall?host=/A/Folder&user=mall")
    assert env_database("U")["HOST"] == "/A/Folder"


@pytest.mark.parametrize("url", ["postgresql://host:port/x", "postgresql://host/"])
def test_a_database_url_that_says_too_little(put, url):
    put("U", url)
    with pytest.raises(WrongSetting):
        env_database("U")


def test_mail(put):
    put("U", "smtp://me:p%40ss@mail.example")
    mail = env_email("U")
    assert (mail.host, mail.port, mail.password, mail.starttls, mail.tls) == (
        "mail.example",
        587,
        "p@ss",
        True,
        False,
    )
    put("U", "smtps://mail.example")
    assert (env_email("U").port, env_email("U").tls) == (465, True)
    put("U", "file://")
    assert "filebased" in env_email("U").backend
    put("U", "smtp://")
    with pytest.raises(WrongSetting, match="names no server"):
        env_email("U")
