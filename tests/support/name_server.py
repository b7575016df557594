"""A name server that knows only what a test tells it, on a port of its own; all other names do not exist."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[tuple[str, str], Sequence[str]]
"""(name, type) -> what is said, TXT without its quotes."""
_STRING = 250


def quoted(text: str) -> str:
    """A TXT record as zone files have it: strings of no more than 255 bytes (RFC 1035 section 3.3)."""
    return " ".join(f'"{text[start : start + _STRING]}"' for start in range(0, len(text), _STRING))


@contextmanager
def serving(records: Records) -> Iterator[int]:
    """The port, on 127.0.0.1, by UDP and TCP."""

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            socket.sendto(_answer(data, records, by_udp=True), self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while length := self.rfile.read(2):
                answer = _answer(self.rfile.read(int.from_bytes(length, "big")), records, by_udp=False)
                self.wfile.write(len(answer).to_bytes(2, "big") + answer)

    # TCP gets the number that UDP was given.
    with (
        socketserver.ThreadingUDPServer(("127.0.0.1", 0), Udp) as udp,
        socketserver.ThreadingTCPServer(("127.0.0.1", udp.server_address[1]), Tcp) as tcp,
    ):
        udp.daemon_threads = tcp.daemon_threads = True
        for server in (udp, tcp):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield udp.server_address[1]
        udp.shutdown()
        tcp.shutdown()


def _answer(data: bytes, records: Records, *, by_udp: bool) -> bytes:
    query = dns.message.from_wire(data)
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    (question,) = query.question
    name = question.name.to_text(omit_final_dot=True).lower()
    kind = dns.rdatatype.to_text(question.rdtype)
    values: Any = records.get((name, kind), ())
    if kind == "TXT":
        values = [quoted(value) for value in values]
    if values:
        answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, values))
    elif not any(known == name for known, _ in records):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    wire = answer.to_wire(max_size=65_535)
    if by_udp and len(wire) > max(query.payload, 512):
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        wire = answer.to_wire()
    return wire
