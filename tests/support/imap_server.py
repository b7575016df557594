"""A mailbox that speaks just enough IMAP (RFC 3501) for a door to fetch from it, on a socket of its own."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mail:
    data: bytes
    seen: bool = False


@dataclass
class ImapServer:
    """The mailbox; `refuse_store` lets the connection die when a message is to be marked."""

    mails: list[Mail]
    password: str = "secret"
    port: int = 0
    refuse_store: bool = False
    selected: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.mailbox: ImapServer = self.server.mailbox  # type: ignore[attr-defined]
        self.wfile.write(b"* OK ready\r\n")
        for line in self.rfile:
            tag, _, command = line.decode().strip().partition(" ")
            if not self.answer(tag, command):
                return

    def answer(self, tag: str, command: str) -> bool:
        word = command.split(" ")[0].upper()
        if word == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1", f"{tag} OK done")
        elif word == "LOGIN":
            good = self.mailbox.password in command
            self.say(f"{tag} OK done" if good else f"{tag} NO [AUTHENTICATIONFAILED] no such login")
        elif word == "SELECT":
            self.mailbox.selected.append(command.partition(" ")[2])
            self.say(f"* {len(self.mailbox.mails)} EXISTS", f"{tag} OK [READ-WRITE] selected")
        elif word == "LOGOUT":
            self.say("* BYE", f"{tag} OK done")
            return False
        else:
            return self.uid(tag, command)
        return True

    def uid(self, tag: str, command: str) -> bool:
        mails = self.mailbox.mails
        if command.startswith("UID SEARCH"):
            unseen = " ".join(str(number) for number, mail in enumerate(mails, start=1) if not mail.seen)
            self.say(f"* SEARCH {unseen}".rstrip(), f"{tag} OK done")
            return True
        match = re.match(r"UID (FETCH|STORE) (\d+)", command)
        assert match, command
        mail = mails[int(match[2]) - 1]
        if match[1] == "FETCH":
            head = f"* {match[2]} FETCH (UID {match[2]} BODY[]<0> {{{len(mail.data)}}}\r\n"
            self.wfile.write(head.encode() + mail.data + b")\r\n")
            self.say(f"{tag} OK done")
        elif self.mailbox.refuse_store:
            return False
        else:
            mail.seen = True
            self.say(f"{tag} OK done")
        return True

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def imap_server(*mails: bytes) -> Iterator[ImapServer]:
    mailbox = ImapServer([Mail(data) for data in mails])
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.mailbox = mailbox  # type: ignore[attr-defined]
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()
