"""A real mail server for tests, in a process of its own: logs what it takes before it answers, fails on demand.

    python smtp_server.py LOG [--delay S] [--drop-after-dot P] [--drop-in-data P] [--defer P] [--reject REGEX] ...

Prints its port, then serves until killed. Each line of LOG is one accepted message, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import socket
import ssl
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Handler:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.chance = random.Random(options.seed)
        self.log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if self.options.reject and re.search(self.options.reject, address):
            return "550 5.1.1 no such user"
        if self.chance.random() < self.options.defer:
            return "451 4.7.1 try again later"
        if self.chance.random() < self.options.busy:
            return "421 4.3.2 too busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.options.delay:
            await asyncio.sleep(self.options.delay)
        transport: Any = server.transport
        if self.chance.random() < self.options.drop_in_data:
            transport.abort()
            return "451 never arrives"
        content = envelope.original_content or b""
        record = {
            "to": envelope.rcpt_tos[0],
            "from": envelope.mail_from,
            "tls": session.ssl is not None,
            "login": session.authenticated,
            "content": content.decode("ascii", "surrogateescape") if self.options.content else "",
            "message_id": (re.search(rb"(?im)^Message-ID:\s*(\S+)", content) or [b"", b""])[1].decode(),
        }
        os.write(self.log, json.dumps(record).encode() + b"\n")
        if self.chance.random() < self.options.drop_after_dot:
            transport.abort()
        return "250 2.0.0 taken"


async def serve(options: argparse.Namespace) -> None:
    handler = Handler(options)
    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate)

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == options.password.encode()
        return AuthResult(success=good)

    def session() -> SMTP:
        return SMTP(
            handler,
            enable_SMTPUTF8=True,
            data_size_limit=None,
            tls_context=context if options.tls == "starttls" else None,
            require_starttls=options.tls == "starttls",
            authenticator=authenticate if options.password else None,
            auth_required=bool(options.password),
            auth_require_tls=False,
        )

    listener = socket.create_server(("127.0.0.1", options.port))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, sock=listener, ssl=context if options.tls == "tls" else None)
    print(listener.getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--content", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--drop-after-dot", type=float, default=0.0)
    parser.add_argument("--drop-in-data", type=float, default=0.0)
    parser.add_argument("--defer", type=float, default=0.0)
    parser.add_argument("--busy", type=float, default=0.0)
    parser.add_argument("--reject", default="")
    parser.add_argument("--certificate", default="")
    parser.add_argument("--tls", choices=("", "tls", "starttls"), default="")
    parser.add_argument("--password", default="")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
