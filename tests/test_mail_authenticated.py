"""Receivers find our mail genuine: SPF, DKIM and DMARC pass by the records that `comms dkim` prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from comms.engine import dkim, preview
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from tests.conftest import free_port
from tests.support import mailauth, rspamd
from tests.support.name_server import Records, serving
from tests.support.template_gallery import EXAMPLES, NAMES, association, drawn

pytestmark = pytest.mark.slow
DOMAIN, IP, HOST, READER = "coalition.org", "5.9.10.11", "mail.coalition.org", "ana@archives.org"
ENVELOPE = {"ip": IP, "helo": HOST, "sender": f"news@{DOMAIN}"}
THROUGH_RSPAMD = {"ip": IP, "helo": HOST, "hostname": HOST, "from": f"news@{DOMAIN}", "rcpt": READER}


@dataclass(frozen=True)
class Office:
    """A workspace that signs, and what the DNS says of it."""

    workspace: Workspace
    folder: Path
    records: Records

    def message(self, template: str) -> bytes:
        """The example of a template as it goes out to Ana."""
        preview.write(self.workspace, EXAMPLES / f"{template}.md", self.folder, address=READER, association=None)
        return (self.folder / "message.eml").read_bytes()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with create_workspace(folder / "workspace", association(sender_address=f"news@{DOMAIN}")) as workspace:
        for name in ("reading-room.jpg", "museum.jpg", "archive.jpg", "ana.jpg", "mae.jpg"):
            (workspace.media_folder / name).write_bytes(drawn(name))
        now = datetime(2027, 1, 1, tzinfo=UTC)
        people = workspace.people("coalition")
        with people.db.atomic():
            people.insert([Member(READER, {"first_name": "Ana", "state": "WA"}, id=1)], now)
            people.record([(1, Consent(ANY_TOPIC, ConsentState.GRANTED, now, "test", Basis.EXPRESS))], now)
            people.note_attributes(["first_name", "state"])
        keys = [dkim.create(workspace, "coalition", name, kind=name) for name in ("rsa", "ed25519")]
        dkim.use(workspace, "coalition", ["rsa", "ed25519"])
        records = {
            (DOMAIN, "TXT"): [f"v=spf1 ip4:{IP} -all"],
            (DOMAIN, "A"): [IP],
            (DOMAIN, "MX"): [f"10 {HOST}."],
            (HOST, "A"): [IP],
            (".".join((*reversed(IP.split(".")), "in-addr.arpa")), "PTR"): [f"{HOST}."],
            (f"_dmarc.{DOMAIN}", "TXT"): ["v=DMARC1; p=reject; adkim=s; aspf=s"],
            **{(state.key.name, "TXT"): [state.key.record] for state in keys},
        }
        yield Office(workspace, folder, records)


def test_mailauth_finds_every_template_genuine_and_sees_what_was_changed(
    office: Office, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = mailauth.install(tmp_path_factory.mktemp("mailauth"))
    mails = [office.message(name) for name in NAMES]
    for told in mailauth.judged(program, [(mail, ENVELOPE) for mail in mails], office.records):
        assert (told["spf"], told["dmarc"]) == ("pass", "pass")
        assert {(each["selector"], each["result"], each["aligned"]) for each in told["dkim"]} == {
            (name, "pass", DOMAIN) for name in ("rsa", "ed25519")
        }
        for each in told["dkim"]:
            signed = {header.strip().lower() for header in each["signed"].split(":")}
            assert {"from", "to", "subject", "list-unsubscribe", "list-unsubscribe-post"} <= signed
    changed = [
        (mails[0].replace(b"Subject: ", b"Subject: Pay now, ", 1), ENVELOPE),
        (mails[0].replace(b"Shore Road", b"Other Road"), ENVELOPE),
        (mails[0].replace(b"From: ", b"From: x <x@evil.example>\r\nFrom: ", 1), ENVELOPE),
    ]
    assert all(mail != mails[0] for mail, _ in changed)
    elsewhere = {**ENVELOPE, "ip": "5.9.10.12"}
    *broken, forwarded = mailauth.judged(program, [*changed, (mails[0], elsewhere)], office.records)
    assert "pass" not in {each["result"] for told in broken for each in told["dkim"]}
    assert (forwarded["spf"], forwarded["dmarc"]) == ("fail", "pass")


@pytest.mark.skipif(rspamd.PROGRAM is None, reason="rspamd is not installed: apt-get install rspamd")
def test_rspamd_finds_every_template_genuine_and_harmless(office: Office, tmp_path: Path) -> None:
    with serving(office.records) as names, rspamd.running(tmp_path / "rspamd", free_port(), names) as judge:
        for name in NAMES:
            found = judge.symbols(office.message(name), **THROUGH_RSPAMD)
            seen = set(found["symbols"])
            assert {"R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"} <= seen, (name, seen)
            scores = {symbol: each["score"] for symbol, each in found["symbols"].items() if each["score"]}
            assert found["score"] < 6, (name, scores)
            assert found["action"] == "no action", (name, scores)
        forged = judge.symbols(office.message(NAMES[0]), **{**THROUGH_RSPAMD, "ip": "5.9.10.12"})
        assert "R_SPF_FAIL" in forged["symbols"]
