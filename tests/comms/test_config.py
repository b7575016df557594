"""Settings: the file, the environment over it, and errors that name the place and the slip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from comms import config
from comms.config import Settings, SmtpRelay
from comms.config.description import describe, section_summary
from comms.engine.setup import settings_file
from comms.errors import ConfigError, WorkspaceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "comms.toml").write_text("")
    return tmp_path


def load(folder: Path, text: str = "", **environment: str) -> Settings:
    (folder / "comms.toml").write_text(text, encoding="utf-8")
    return config.load(folder, environment)


# --- what there is to set -------------------------------------------------------------------


def test_every_key_is_described_with_its_kind_default_and_meaning() -> None:
    described = {(section, key) for section, key, *_ in describe()}
    existing = {(section, key) for section, table in Settings() if table for key in table.__class__.model_fields}
    existing |= {("smtp_relays.NAME", key) for key in SmtpRelay.model_fields}
    assert described == existing
    for section, key, kind, default, meaning in describe():
        plain = ("text", "number", "whole number", "list", "lists by name", "numbers by name", "`true` or `false`")
        assert kind in plain or kind.startswith("one of `"), (section, key)
        assert meaning.endswith("."), (section, key)
        assert default, (section, key)
    assert all(section_summary(section).endswith(".") for section in Settings.model_fields)


def test_the_keys_that_other_programs_rely_on_exist() -> None:
    keys = {f"{section}.{key}" for section, key, *_ in describe()}
    promised = "site.url smtp.host smtp.port smtp.security smtp.username smtp.password queue.url"
    assert set(promised.split()) <= keys


def test_a_new_settings_file_means_the_defaults_as_it_stands_and_with_every_key_uncommented(folder: Path) -> None:
    text = settings_file()
    assert load(folder, text) == Settings()
    active, number = re.subn(r"^# ([a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    single = {(section, key) for section, key, *_ in describe() if not section.endswith(".NAME")}
    assert number == len(single)
    assert load(folder, active) == Settings()
    assert {(section, key) for section, table in tomllib.loads(active).items() for key in table} == single


def test_a_new_settings_file_shows_a_table_by_name_that_works_once_its_lines_are_uncommented(folder: Path) -> None:
    text = settings_file().replace("# [smtp_relays.NAME]", "[smtp_relays.second]")
    active, number = re.subn(r"^#     ([a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    assert number == len(SmtpRelay.model_fields)
    assert load(folder, active).smtp_relays == {"second": SmtpRelay()}


# --- file and environment -------------------------------------------------------------------


def test_an_empty_file_means_the_defaults(folder: Path) -> None:
    settings = load(folder)
    assert settings == Settings()
    assert (settings.smtp.host, settings.smtp.port, settings.smtp.security) == ("127.0.0.1", 25, "none")


def test_what_the_file_does_not_say_keeps_its_default(folder: Path) -> None:
    settings = load(folder, '[smtp]\nhost = "mail.example.org"\nsecurity = "tls"\n')
    assert (settings.smtp.host, settings.smtp.security, settings.smtp.port) == ("mail.example.org", "tls", 25)


def test_the_environment_overrides_key_by_key_whatever_the_file_says(folder: Path) -> None:
    text = '[smtp]\nhost = "mail.example.org"\nport = 465\n'
    settings = load(folder, text, COMMS_SMTP__PORT="2525", COMMS_QUEUE__URL="redis://queue", COMMS_SMTP__TIMEOUT="1.5")
    assert (settings.smtp.host, settings.smtp.port, settings.smtp.timeout) == ("mail.example.org", 2525, 1.5)
    assert settings.queue.url == "redis://queue"


def test_variables_of_others_and_the_workspace_variable_are_no_settings(folder: Path) -> None:
    assert (
        load(folder, COMMS_WORKSPACE="/tmp/x", SMTP__PORT="1", COMMSX__Y="1", COMMS_LOG="1", PATH="/bin") == Settings()
    )


def test_an_address_of_the_site_loses_its_last_slash(folder: Path) -> None:
    assert load(folder, '[site]\nurl = "https://news.example.org/comms/"').site.url == "https://news.example.org/comms"


def test_further_mail_servers_are_tables_by_name_that_the_environment_overrides(folder: Path) -> None:
    text = '[smtp_relays.ses]\nhost = "ses.example"\nweight = 3\n[smtp_relays.spare]\nbackup = true\n'
    settings = load(folder, text, COMMS_SMTP_RELAYS__SES__PASSWORD="hunter2", COMMS_SMTP_RELAYS__THIRD__PORT="2525")
    assert list(settings.smtp_relays) == ["ses", "spare", "third"]
    ses = settings.smtp_relays["ses"]
    assert (ses.host, ses.weight, ses.password, ses.backup) == ("ses.example", 3, "hunter2", False)
    assert settings.smtp_relays["spare"].backup
    assert settings.smtp_relays["third"].port == 2525


# --- slips ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[smtp]\nprot = 25", "comms.toml: [smtp] prot: no such key; did you mean port?"),
        ("[smpt]\nport = 25", "comms.toml: [smpt]: no such section; did you mean smtp?"),
        ("[smtp]\nzzz = 25", "[smtp] zzz: no such key; known are: host, port, security"),
        ("[zzz]\nport = 25", "[zzz]: no such section; known are: site, smtp, smtp_relays"),
        ('[smtp]\nport = "many"', "comms.toml: [smtp] port: "),
        ("[smtp]\nport = 0", "comms.toml: [smtp] port: "),
        ("[smtp]\nport = 65536", "comms.toml: [smtp] port: "),
        ("[smtp]\ntimeout = nan", "comms.toml: [smtp] timeout: "),
        ("[smtp]\ntimeout = inf", "comms.toml: [smtp] timeout: "),
        ("[smtp]\nhost = 25", "comms.toml: [smtp] host: "),
        ('[smtp]\nsecurity = "ssl"', "comms.toml: [smtp] security: "),
        ("[delivery]\nsenders = 1.5", "comms.toml: [delivery] senders: "),
        ("[delivery]\nbatch_size = [1]", "comms.toml: [delivery] batch_size: "),
        ("smtp = 25", "comms.toml: [smtp]: must be a table: a line [smtp], then its keys"),
        ('[site]\nurl = "news.example.org"', "[site] url: must be a web address such as https://news.example.org"),
        ('[site]\nurl = "ftp://news.example.org"', "[site] url: must be a web address"),
        ('[site]\nurl = "https://news.example.org/?a=1"', "[site] url: must be a web address"),
        ('[site]\nurl = "https://["', "[site] url: "),
        ("[smtp\nport = 25", "comms.toml: "),
        ("port", "comms.toml: "),
        ("[smtp_relays.ses]\nprot = 1", "comms.toml: [smtp_relays.ses] prot: no such key; did you mean port?"),
        ("[smtp_relays.ses]\nweight = 0", "comms.toml: [smtp_relays.ses] weight: "),
        ("[smtp_relays.ses]\nbackup = 7", "comms.toml: [smtp_relays.ses] backup: "),
        ('[smtp_relays]\nhost = "a"', "[smtp_relays.host]: must be a table: a line [smtp_relays.NAME], then its keys"),
        ("smtp_relays = 1", "[smtp_relays]: must be a table: a line [smtp_relays.NAME], then its keys"),
        ("[smtp_relays.SES]", "comms.toml: [smtp_relays]: 'SES' can not be a name"),
        ("[smtp_relays.a__b]", "comms.toml: [smtp_relays]: 'a__b' can not be a name"),
        ("[smtp_relays.smtp]", "comms.toml: [smtp_relays]: 'smtp' can not be a name"),
    ],
)
def test_a_slip_in_the_file_is_named_with_file_section_and_key(folder: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(folder, text)
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("COMMS_SMTP_RELAYS__SES__PROT", "25", "COMMS_SMTP_RELAYS__SES__PROT: no such key; did you mean port?"),
        ("COMMS_SMTP_RELAYS__SES__PORT", "x", "COMMS_SMTP_RELAYS__SES__PORT: "),
        ("COMMS_SMTP_RELAYS__SES", "x", "COMMS_SMTP_RELAYS__SES: must be a table"),
        ("COMMS_SMTP__PROT", "25", "COMMS_SMTP__PROT: no such key; did you mean port?"),
        ("COMMS_SMPT__PORT", "25", "COMMS_SMPT__PORT: no such section; did you mean smtp?"),
        ("COMMS_SMTP__PORT", "many", "COMMS_SMTP__PORT: "),
        ("COMMS_SMTP__SECURITY", "ssl", "COMMS_SMTP__SECURITY: "),
        ("COMMS_DELIVERY__SENDERS", "-1", "COMMS_DELIVERY__SENDERS: "),
    ],
)
def test_a_slip_in_the_environment_is_named_with_its_variable(
    folder: Path, variable: str, value: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(folder, "[smtp]\nport = 25\n", **{variable: value})
    assert refused.value.message.startswith(message)


def test_all_slips_are_named_at_once(folder: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(folder, "[smtp]\nport = 0\nprot = 1\n", COMMS_X__APIKEY="k")
    assert len(refused.value.message.splitlines()) == 3


def test_a_folder_without_settings_is_no_workspace_and_a_way_on_is_shown(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is no workspace") as refused:
        config.load(tmp_path, {})
    assert "comms init" in refused.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe[smtp]", b"\0", b"[smtp]\nport = \x80"])
def test_a_file_that_is_no_text_is_a_config_error(folder: Path, content: bytes) -> None:
    (folder / "comms.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"comms\.toml"):
        config.load(folder, {})


def test_a_folder_in_place_of_the_file_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "comms.toml").mkdir()
    with pytest.raises(ConfigError, match="can not be read"):
        config.load(tmp_path, {})


# --- secrets --------------------------------------------------------------------------------

SECRETS = ("SMTP__PASSWORD", "X__API_KEY", "X__API_SECRET", "X__ACCESS_TOKEN", "X__ACCESS_SECRET")


def test_no_secret_shows_when_the_settings_are_printed(folder: Path) -> None:
    settings = load(folder, **{f"COMMS_{name}": "hunter2" for name in SECRETS})
    assert settings.smtp.password == settings.x.api_key == settings.x.access_secret == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


def test_no_secret_shows_in_the_message_about_a_slip(folder: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(folder, '[smtp]\npasword = "hunter2"\nport = "hunter2"\n[x]\napi_key = ["hunter2"]\n')
    assert "hunter2" not in str(refused.value)
