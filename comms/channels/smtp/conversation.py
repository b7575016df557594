"""Decides what to say to the server next, and what its answers mean for which message. Pure: no socket, no clock.

With PIPELINING (RFC 2920) one group carries the body of a message and the whole envelope of the next, so each
message costs one round trip:

    C: MAIL 1, RCPT 1, DATA 1
    S: 250, 250, 354
    C: body 1 and dot, MAIL 2, RCPT 2, DATA 2
    S: 250 (1 has arrived), 250, 250, 354
    C: body 2 and dot, MAIL 3 ...

DATA is always the last of its group, and nothing is written before the whole group before it is answered: one
body at most is without an answer at any time. Without PIPELINING the same steps go out one by one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from comms.channels.mail import CLOSING, SESSION_CODES, Lost, OnHandover, OnResult, Outgoing, Reply, Take
from comms.channels.smtp import wire
from comms.channels.smtp.replies import ServerReply
from comms.channels.smtp.wire import Capabilities


class SessionOverError(Exception):
    """The session is of no use any more; its text is the reason."""


class _Step(Enum):
    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    BODY = auto()
    NOTHING = auto()
    """A lone dot, for a server that wants a message although it refused the recipient."""


@dataclass(slots=True, eq=False)
class _Transaction:
    """One message on its way."""

    message: Outgoing
    was_spoken_of: bool = False
    """The server has answered one of its commands."""
    refused_at: _Step | None = None
    """Where the server first said no; later refusals only follow from that."""
    wants_body: bool = False
    """The server said 354."""
    handed_over: bool = False


class Conversation:
    """What is said over one session, from EHLO on, until `take` gives no message or the session is over.

    `start` and `receive` return what to write now, in parts. When they raise, or the connection ends, `lose` must be
    called: it gives every open message its result.
    """

    def __init__(
        self, capabilities: Capabilities, take: Take, on_handover: OnHandover, on_result: OnResult, *, is_kept: bool
    ) -> None:
        self._capabilities = capabilities
        self._is_pipelined = "PIPELINING" in capabilities
        self._take = take
        self._on_handover = on_handover
        self._on_result = on_result
        self.is_kept = is_kept
        """A message has been answered on this session before."""
        self._open: deque[_Transaction] = deque()
        """Taken and without a result: the message whose body is out, and the one whose envelope is."""
        self._envelope: _Transaction | None = None
        """The message whose envelope was said last; None when there was no further one."""
        self._unsaid: deque[tuple[_Step, _Transaction, bytes]] = deque()
        self._awaited: deque[tuple[_Step, _Transaction]] = deque()
        self._after_dot = 0
        """Octets that went out behind the last body, in the same group."""

    @property
    def is_over(self) -> bool:
        """Everything taken has its result, and the server owes no answer."""
        return not self._awaited and not self._open

    @property
    def awaits_verdict(self) -> bool:
        """The next answer is the one to a whole message, which takes longer."""
        return bool(self._awaited) and self._awaited[0][0] is _Step.BODY

    def start(self) -> list[bytes]:
        self._add_next()
        return self._say()

    def receive(self, reply: ServerReply, *, unsent: int, is_last: bool) -> list[bytes]:
        """Take one reply. `unsent`: octets written that have not left this process; `is_last`: nothing more has
        come behind the reply.

        Raises SessionOverError when the session can not go on, and what `take` and `on_handover` raise.
        """
        step, transaction = self._awaited.popleft()
        if step is _Step.BODY:
            self._judge_body(transaction, reply, is_early=unsent > self._after_dot)
        elif step is _Step.RSET:
            if reply.code >= 300:
                raise SessionOverError(f"the server does not start afresh: {reply}")
        elif step is not _Step.NOTHING:
            self._judge_envelope(step, transaction, reply)
        if self._awaited or (self._envelope is None and not self._unsaid):
            return []
        if not is_last:  # it would be taken for an answer to what is said next
            raise SessionOverError("the server gave more answers than it was asked questions")
        if not self._unsaid:
            self._go_on()
        return self._say()

    def lose(self, reason: str, *, unsent: int) -> None:
        """The session is over: give each message that has no result the one that is certain."""
        self._awaited.clear()
        self._unsaid.clear()
        while self._open:
            transaction = self._open.popleft()
            # The dot is the last of the body: while more is here than followed the dot, so is the dot.
            handed_over = transaction.handed_over and unsent <= self._after_dot
            kept = self.is_kept and not transaction.was_spoken_of
            self._on_result(transaction.message.token, Lost(reason, handed_over, kept))

    def _judge_body(self, transaction: _Transaction, reply: ServerReply, *, is_early: bool) -> None:
        if 300 <= reply.code < 400 or (is_early and reply.code < 300):
            raise SessionOverError(f"the server answered a message before it had it: {reply}")
        self._settle(transaction, reply)
        if is_early or reply.code in SESSION_CODES:
            raise SessionOverError(f"the server ends the session: {reply}")

    def _judge_envelope(self, step: _Step, transaction: _Transaction, reply: ServerReply) -> None:
        is_wanted = reply.code == 354 if step is _Step.DATA else reply.code < 300
        if reply.code >= 400:
            self._refuse(step, transaction, reply)
        elif not is_wanted:
            raise SessionOverError(f"the server answered nonsense to {step.name}: {reply}")
        elif step is _Step.DATA:
            transaction.wants_body = True
            if transaction.refused_at is _Step.MAIL:
                # Whatever it would deliver now, and to whom: not even an empty message, so no dot.
                raise SessionOverError("the server wants a message of a sender that it refused")
        transaction.was_spoken_of = True

    def _refuse(self, step: _Step, transaction: _Transaction, reply: ServerReply) -> None:
        if transaction.refused_at is not None:
            return
        if step is _Step.MAIL and reply.code == CLOSING and self.is_kept:
            raise SessionOverError(f"the server ends the session: {reply}")  # it has carried enough
        transaction.refused_at = step
        self._unsaid.clear()  # when they go out one by one, the others are not worth asking
        self._settle(transaction, reply, concerns_recipient=step is not _Step.MAIL)
        if reply.code in SESSION_CODES:
            raise SessionOverError(f"the server ends the session: {reply}")

    def _settle(self, transaction: _Transaction, reply: ServerReply, *, concerns_recipient: bool = True) -> None:
        self._open.remove(transaction)
        self.is_kept = True
        concerns_recipient = concerns_recipient and reply.code not in SESSION_CODES
        self._on_result(transaction.message.token, Reply(reply.code, reply.text, concerns_recipient))

    def _go_on(self) -> None:
        """Everything said is answered: the body of the last envelope comes next, or a new start without it."""
        transaction = self._envelope
        assert transaction is not None
        if transaction.refused_at is None:
            self._add_next()
            body = wire.stuffed(transaction.message)
            self._on_handover(transaction.message.token)
            transaction.handed_over = True
            self._unsaid.appendleft((_Step.BODY, transaction, body))
            return
        if transaction.wants_body:  # RFC 2920 section 3.1: nobody is left to get the message, so a dot alone
            self._unsaid.append((_Step.NOTHING, transaction, wire.FINAL_DOT))
        self._unsaid.append((_Step.RSET, transaction, wire.RSET))
        self._add_next()

    def _add_next(self) -> None:
        self._envelope = None
        while (message := self._take()) is not None:
            if reason := wire.why_unfit(message, self._capabilities):
                self._on_result(message.token, Reply(0, f"not sent: {reason}"))
                continue
            self._envelope = transaction = _Transaction(message)
            self._open.append(transaction)
            self._unsaid.append((_Step.MAIL, transaction, wire.mail_command(message, self._capabilities)))
            self._unsaid.append((_Step.RCPT, transaction, wire.rcpt_command(message, self._capabilities)))
            self._unsaid.append((_Step.DATA, transaction, wire.DATA))
            return

    def _say(self) -> list[bytes]:
        """The next group: all of it with PIPELINING, else the next step alone."""
        body, commands = b"", b""
        while self._unsaid and (self._is_pipelined or not self._awaited):
            step, transaction, octets = self._unsaid.popleft()
            if step is _Step.BODY:  # always the first
                body = octets
            else:
                commands += octets
            self._awaited.append((step, transaction))
        self._after_dot = len(commands)
        if not body:
            return [commands] if commands else []
        return [body, wire.FINAL_DOT + commands]  # not in one, which would copy the body
