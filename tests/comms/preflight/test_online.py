"""Links are asked politely and never within a private network; the DNS is read as receivers read it. Real servers."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import dns.message
import dns.resolver
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from preflight_samples import GOOD, good_workspace

from comms.engine import checking, dkim
from comms.engine.preflight import Network
from comms.engine.workspace import Workspace
from comms.outside import guard
from comms.outside.exchange import Outcome
from comms.outside.guard import Address
from comms.preflight.online.web import AT_A_TIME, Answer, Asker
from comms.preflight.report import Finding
from tests.support.serving import Server
from tests.support.serving import serving as answering

LOOPBACK = ipaddress.ip_address("127.0.0.1")


# --- a site -----------------------------------------------------------------------------------


@dataclass
class Site:
    """A web server that does what paths say: `/404`, `/to/<address>`, `/circle`, `/drip`, `/get-only`."""

    port: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    agents: set[str] = field(default_factory=set)


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Site]:
    site, lock = Site(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            with lock:
                site.seen.append((self.command, self.path))
                site.agents.add(self.headers["User-Agent"])
                site.at_once += 1
                site.most_at_once = max(site.most_at_once, site.at_once)
            time.sleep(0.02)
            with lock:  # before the answer, upon which the next request may come while this one still ends
                site.at_once -= 1
            self._answer(self.path.partition("?")[0].strip("/"))

        do_GET = do_HEAD  # noqa: N815 - http.server calls it so

        def _answer(self, path: str) -> None:
            if path == "drip":
                with_nothing_but_bytes(self)
                return
            if path == "get-only":
                path = "200" if self.command == "GET" else "405"
            status = 302 if path.startswith("to/") or path == "circle" else int(path or 200)
            time.sleep(0.02)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", path.removeprefix("to/").replace("+", "/"))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with answering(server) as site.port:
        yield site


def with_nothing_but_bytes(handler: BaseHTTPRequestHandler) -> None:
    """Never quite silent, never done."""
    for _ in range(40):
        try:
            handler.wfile.write(b"H")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.1)


def here(host: str, port: int) -> list[Address]:
    """All sites of these tests are on this machine, but for those that are not."""
    if host.endswith(".gone"):
        raise socket.gaierror(socket.EAI_NONAME, "no such host")
    if host.startswith("inside"):
        return [ipaddress.ip_address("10.0.0.1")]
    return [LOOPBACK]


def asker(seconds: float = 5.0) -> Asker:
    return Asker(look_up=here, allowed=lambda address: address == LOOPBACK or guard.is_public(address), seconds=seconds)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.mark.parametrize("status", [200, 204, 403, 404, 410, 429, 500, 503])
def test_the_answer_is_what_the_site_says(site: Site, status: int) -> None:
    assert asker().ask(f"http://museum.org:{site.port}/{status}") == Answer(Outcome.ANSWERED, status)
    assert site.seen[0][0] == "HEAD"


def test_a_page_that_knows_no_head_is_asked_for_again_with_get(site: Site) -> None:
    assert asker().ask(f"http://museum.org:{site.port}/get-only").status == 200
    assert [method for method, _ in site.seen] == ["HEAD", "GET"]
    assert all("comms-link-check" in agent for agent in site.agents)


def test_redirects_are_followed_and_circles_are_left(site: Site) -> None:
    assert asker().ask(f"http://museum.org:{site.port}/to/+404").status == 404
    assert asker().ask(f"http://museum.org:{site.port}/circle").outcome is Outcome.CIRCLES
    assert len(site.seen) < 12


@pytest.mark.parametrize("target", ["http:++inside.org+", "ftp:++museum.org+x", "http:++[bad", "http:++x:99999+"])
def test_a_redirect_leads_nowhere_that_may_not_be_asked(site: Site, target: str) -> None:
    answer = asker().ask(f"http://museum.org:{site.port}/to/{target}")

    assert answer.outcome in (Outcome.NOT_PUBLIC, Outcome.NONSENSE)


def test_this_machine_and_its_network_are_never_asked(site: Site) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "0.0.0.0"):
        outcome = Asker(seconds=2).ask(f"http://{host}:{site.port}/").outcome
        assert outcome in (Outcome.NOT_PUBLIC, Outcome.UNKNOWN_HOST), host
    assert site.seen == []


@pytest.mark.parametrize(
    "address",
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 ::1 ::"
    " fe80::1 fc00::1 ff02::1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1::".split(),
)
def test_an_address_that_is_not_public_is_known_as_such(address: str) -> None:
    assert not guard.is_public(ipaddress.ip_address(address))


@given(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address))
def test_an_address_is_as_public_in_ipv6_clothes_as_without(address: ipaddress.IPv4Address) -> None:
    for clothes in ("::ffff:", "64:ff9b::"):
        assert guard.is_public(ipaddress.IPv6Address(f"{clothes}{address}")) == guard.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_may_be_asked(address: str) -> None:
    assert guard.is_public(ipaddress.ip_address(address))


def test_one_host_is_asked_one_thing_at_a_time_and_several_hosts_at_once() -> None:
    with serving() as one:
        asker().ask_all(f"http://museum.org:{one.port}/200?{number}" for number in range(6))
        assert (len(one.seen), one.most_at_once) == (6, 1)
    with serving() as many:
        asker().ask_all(f"http://museum{number}.org:{many.port}/200" for number in range(12))
        assert len(many.seen) == 12
        assert 1 < many.most_at_once <= AT_A_TIME


def test_a_server_that_drips_is_left_in_time_and_not_asked_again(site: Site) -> None:
    patient = asker(seconds=0.5)
    started = time.monotonic()
    answers = patient.ask_all([f"http://museum.org:{site.port}/drip", f"http://museum.org:{site.port}/200"])

    assert {answer.outcome for answer in answers.values()} == {Outcome.NO_ANSWER}
    assert time.monotonic() - started < 2


def test_a_closed_port_a_lost_host_and_a_false_certificate_are_told_apart(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert asker().ask(f"http://museum.org:{port}/").outcome is Outcome.NO_CONNECTION
    assert asker().ask("http://museum.gone/").outcome is Outcome.UNKNOWN_HOST
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    with serving(context) as site:
        answer = asker().ask(f"https://museum.org:{site.port}/")
    assert answer.outcome is Outcome.BAD_CERTIFICATE
    assert "self-signed" in answer.detail


def certificate(folder: Path) -> tuple[Path, Path]:
    """Certificate and key that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "museum.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


# --- a DNS ------------------------------------------------------------------------------------

Zone = dict[tuple[str, str], list[str]]
"""(name, kind) -> records; a name that has none of any kind does not exist."""


@contextmanager
def dns_server(zone: Zone) -> Iterator[dns.resolver.Resolver]:
    """A DNS server with these records, and a resolver that asks it."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.05)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                packet, client = server.recvfrom(4096)
            except TimeoutError:
                continue
            server.sendto(answer_to(packet, zone), client)

    thread = threading.Thread(target=serve)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
    try:
        yield resolver
    finally:
        done.set()
        thread.join()
        server.close()


def answer_to(packet: bytes, zone: Zone) -> bytes:
    query = dns.message.from_wire(packet)
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
    response = dns.message.make_response(query)
    if records := zone.get((name, kind)):
        response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, records))
    elif not any(known == name for known, _ in zone):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response.to_wire()


GOOD_ZONE: Zone = {
    ("coalition.org", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"', '"something else"'],
    ("coalition.org", "MX"): ["10 mail.coalition.org."],
    ("_dmarc.coalition.org", "TXT"): ['"v=DMARC1; p=reject"'],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with good_workspace(tmp_path / "workspace") as workspace:
        yield workspace


def found_online(workspace: Workspace, zone: Zone | None, body: str = "Words.", *, port: int = 0) -> dict[str, Finding]:
    """Rule -> finding; `PORT` in the body is that of the site."""
    path = workspace.folder / "campaigns" / "online.md"
    text = GOOD[: GOOD.index("# Spring")] + body.replace("PORT", str(port))
    path.write_text(text, encoding="utf-8")
    with dns_server(zone if zone is not None else GOOD_ZONE) as resolver:
        findings = checking.check(workspace, path, network=Network(asker(), resolver)).findings
    return {finding.rule: finding for finding in findings if finding.rule.startswith("online")}


def signed(workspace: Workspace) -> Zone:
    """Make the coalition sign; the record that belongs to it."""
    state = dkim.create(workspace, "coalition")
    dkim.use(workspace, "coalition", [state.key.selector])
    record = state.key.record
    return {(state.key.name, "TXT"): [f'"{record[:200]}" "{record[200:]}"']}


def test_a_sender_with_everything_in_the_dns_is_left_in_peace(workspace: Workspace) -> None:
    assert found_online(workspace, {**GOOD_ZONE, **signed(workspace)}) == {}


def test_what_is_missing_in_the_dns_is_named(workspace: Workspace) -> None:
    found = found_online(workspace, {("coalition.org", "TXT"): ['"nothing of use"']})

    assert set(found) == {"online-no-dkim", "online-spf", "online-no-dmarc", "online-no-mx"}
    assert found["online-no-dmarc"].hint.startswith("a TXT record at _dmarc.coalition.org")


def test_a_signature_without_its_record_must_be_fixed(workspace: Workspace) -> None:
    zone = signed(workspace)
    assert found_online(workspace, GOOD_ZONE)["online-dkim-record"].level == "must fix"

    other = {key: ['"v=DKIM1; k=rsa; p=AAAA"'] for key in zone}
    assert "another record" in found_online(workspace, {**GOOD_ZONE, **other})["online-dkim-record"].message


def test_a_domain_that_does_not_exist_must_be_fixed(workspace: Workspace) -> None:
    assert set(found_online(workspace, {})) == {"online-no-domain"}


@pytest.mark.parametrize("spf", [['"v=spf1 +all"'], ['"v=spf1 all"'], ['"v=spf1 -all"', '"v=spf1 mx -all"']])
def test_an_spf_record_that_helps_nobody_is_named(workspace: Workspace, spf: list[str]) -> None:
    assert "online-spf" in found_online(workspace, {**GOOD_ZONE, ("coalition.org", "TXT"): spf})


def test_a_dns_that_is_silent_is_said_and_blames_nobody(workspace: Workspace) -> None:
    path = workspace.folder / "campaigns" / "online.md"
    path.write_text(GOOD[: GOOD.index("# Spring")] + "Words.", encoding="utf-8")
    nobody = dns.resolver.Resolver(configure=False)
    findings = checking.check(workspace, path, network=Network(asker(), nobody)).findings

    assert [(finding.rule, finding.level) for finding in findings] == [("online-dns-unseen", "should fix")]


# --- links of a campaign ----------------------------------------------------------------------


def test_the_links_of_a_campaign_are_named_at_their_lines(workspace: Workspace, site: Site) -> None:
    body = (
        "[fine](http://museum.org:PORT/200)\n\n[gone](http://museum.org:PORT/404)\n\n[shy](http://museum.org:PORT/403)\n\n"
        "[ill](http://museum.org:PORT/500)\n\n[ours](https://news.coalition.org/a/b)\n"
    )
    found = found_online(workspace, None, body, port=site.port)
    first = GOOD[: GOOD.index("# Spring")].count("\n") + 1

    levels = {rule: (finding.line - first, finding.level) for rule, finding in found.items() if "link" in rule}
    assert levels == {
        "online-link-dead": (2, "must fix"),
        "online-link-unseen": (4, "should fix"),
        "online-link-failing": (6, "should fix"),
    }


def test_a_lost_site_is_dead_only_where_another_answers(workspace: Workspace, site: Site) -> None:
    lost = "[lost](http://museum.gone/)\n"
    assert found_online(workspace, None, lost)["online-link-unseen"].level == "should fix"

    both = f"{lost}\n[fine](http://museum.org:PORT/200)\n"
    assert found_online(workspace, None, both, port=site.port)["online-link-dead"].level == "must fix"
