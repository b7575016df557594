"""First blind set: absences, complaints, receipts, several recipients, and people who write about bounces.

Labelled by what a person would say of each message, before the code of our rules was read or run.
"""

from __future__ import annotations

from blind_forms import OURS, RETURN_PATH, Case, feedback, letter, message, original, prose, report, status_fields

AUTO = "Auto-Submitted: auto-replied\n"
VACATION = "Precedence: bulk\nX-Auto-Response-Suppress: All\n"


def absences() -> list[Case]:
    rows = [
        ("vacation", "sieve-en", "Ann Lee <ann@library.example>", "Out of office: Winter news", AUTO,
         "I am out of the office until 16 February with no access to email. For urgent matters write to desk@library.example."),
        ("vacation", "exchange-de", "Jörg Weber <j.weber@archiv.example>", "Automatische Antwort: Winter news", VACATION,
         "Ich bin bis 20.02. nicht im Büro. Ihre E-Mail wird nicht weitergeleitet."),
        ("vacation", "exchange-fr", "Zoé Martin <z.martin@musee.example>", "Réponse automatique : Winter news", VACATION,
         "Je suis absente jusqu'au 12 février. En cas d'urgence, contactez l'accueil."),
        ("vacation", "es", "Luis Gómez <luis@museo.example>", "Respuesta automática: Winter news", AUTO,
         "Estoy fuera de la oficina hasta el lunes. Contestaré a mi regreso."),
        ("vacation", "it", "Pina Rossi <pina@biblioteca.example>", "Risposta automatica: Winter news", AUTO,
         "Sono assente fino al 9 febbraio. Per urgenze scrivere a segreteria@biblioteca.example."),
        ("vacation", "pt-bare", "Rui Sousa <rui@arquivo.example>", "Ausência temporária", "",
         "Estarei ausente de férias até 15 de fevereiro e responderei quando regressar."),
        ("vacation", "ru", "Ольга Иванова <olga@muzey.example>", "Автоматический ответ: Winter news", AUTO,
         "Я в отпуске до 10 февраля. По срочным вопросам обращайтесь к коллегам."),
        ("vacation", "ja", "山田 <yamada@toshokan.example>", "自動応答: Winter news", AUTO, "2月10日まで休暇をいただいております。"),
        ("vacation", "zh", "王丽 <wangli@bowuguan.example>", "自动回复: Winter news", "X-Autoreply: yes\n", "您好,我正在休假,2月10日返回后会尽快回复您。"),
        ("left", "new-address", "Sam Hall <sam@museum.example>", "Automatic reply: Winter news", VACATION,
         "Sam Hall no longer works for the museum. Please update your records and write to his successor, kim@museum.example. Mail to this address is not read."),
        ("left", "retired-de", "Petra Kohl <kohl@stadt.example>", "Nicht mehr im Dienst", AUTO,
         "Frau Kohl ist im Ruhestand. Diese Adresse wird zum 31. März gelöscht. Neue Adresse: archiv@stadt.example"),
        ("left", "new-address-fr", "Guy Petit <guy@mairie.example>", "Changement d'adresse", AUTO,
         "Mon adresse change. Merci d'utiliser désormais guy.petit@metropole.example ; l'ancienne adresse n'existera plus au 1er mars."),
        ("ticket", "otrs", "Library Helpdesk <help@library.example>", "[Ticket#2026020210000042] Winter news", AUTO,
         "Thank you for contacting us. Your request has been received and assigned the ticket number above. User unknown? Register here."),
        ("ticket", "zendesk", "Support <support@vendor.example>", "[Request received] Winter news", "X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n",
         "##- Please type your reply above this line -##\nYour request (88213) has been received and is being reviewed by our support staff."),
        ("challenge", "spamarrest", "ted@smallmuseum.example", "Re: Winter news (verification required)", AUTO,
         "I apologize for this automatic reply to your email. To control spam, I now allow incoming messages only from senders I have approved beforehand. If you would like to be added to my list of approved senders, please fill out the short request form (see link below)."),
        ("challenge", "boxbe", "Boxbe <notify@boxbe.example>", "Your message to ted is waiting", AUTO,
         "Your message about Winter news was waitlisted. Please add yourself to my guest list so your messages will be delivered to my inbox. Click here: https://www.boxbe.example/crs"),
        ("challenge", "tmda", "mike@maker.example", "Please confirm your message", AUTO,
         "This message was created automatically by mail delivery software (TMDA). Your message is being held because your address was not recognized. To release your message for delivery, please send an empty message to the following address."),
        ("ack", "mailbox-retired-notice", "Reading Room <room@archive.example>", "We got your mail", AUTO,
         "Thank you for your message to the reading room. Our mailbox is often full; we answer within ten working days."),
    ]  # fmt: skip
    return [
        Case(family, name, letter(text + "\n", sender=sender, subject=subject, extra=extra), message="auto")
        for family, name, sender, subject, extra, text in rows
    ]


def complaints() -> list[Case]:
    text = "This is an email abuse report for an email message received from IP 198.51.100.7 on Mon, 02 Feb 2026."
    rows = [
        ("yahoo.example", "abuse", "cfl@yahoo.example", True),
        ("comcast.example", "abuse", "bob@comcast.example", True),
        ("fastmail.example", "abuse", "jo@fastmail.example", True),
        ("signal-spam.example", "abuse", "luc@orange.example", True),
        ("mail.ru.example", "abuse", "olga@mail.ru.example", True),
        ("seznam.example", "fraud", "jana@seznam.example", True),
        ("zoho.example", "abuse", "raj@zoho.example", False),
        ("usa.net.example", "not-spam", "", False),
    ]
    arf = [
        Case("arf", provider, feedback(kind, provider, to or "x@usa.net.example", text, named=named), {to: "complaint"} if to else {},
             message="" if to else "none")
        for provider, kind, to, named in rows
    ]  # fmt: skip
    hotmail = message(
        f"""\
Return-Path: <>
From: staff@hotmail.example
To: abuse@{OURS}
Subject: complaint about message from 198.51.100.7
X-HmXmrOriginalRecipient: lena@hotmail.example
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_j" """,
        f"""\
--=_j
Content-Type: message/rfc822
Content-Disposition: inline

X-HmXmrOriginalRecipient: lena@hotmail.example
{original("lena@hotmail.example")}
--=_j--
""",
    )
    unsubscribe = letter("\n", sender="Kay <kay@library.example>", subject="unsubscribe")
    return [
        *arf,
        Case("jmrp", "hotmail", hotmail, {"lena@hotmail.example": "complaint"}),
        Case("unsubscribe", "mailto", unsubscribe, message="complaint"),
    ]


def receipts() -> list[Case]:
    to = "chair@trust.example"
    read = message(
        f"""\
From: Chair <{to}>
To: {RETURN_PATH}
Subject: Read: Winter news: new opening hours
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="=_m" """,
        f"""\
--=_m
Content-Type: text/plain

Your message was read on Monday, 2 February 2026.

--=_m
Content-Type: message/disposition-notification

Reporting-UA: mail.trust.example; Mailer 9
Final-Recipient: rfc822;{to}
Original-Message-ID: <run-41.8812@{OURS}>
Disposition: manual-action/MDN-sent-manually; displayed

--=_m--
""",
    )
    deleted = (
        read.replace(b"displayed", b"deleted")
        .replace(b"Read:", b"Not read:")
        .replace(b"was read", b"was deleted without being read")
    )
    relayed = report(
        f"This is the mail system at host mail.{OURS}.\n\nYour message was successfully delivered to the destination(s) listed below.",
        status_fields(to, "2.0.0", "250 2.0.0 Ok: queued as 4WxYz1", action="relayed"), to, sender="MAILER-DAEMON@mail.trust.example",
        subject="Successful Mail Delivery Report", mta="mail.trust.example")  # fmt: skip
    delivered = report(
        "Your message has been delivered to the following recipients:", status_fields(to, "2.1.5", action="delivered"), to,
        sender="postmaster@trust.example", subject="Delivered: Winter news", mta="ex.trust.example")  # fmt: skip
    return [
        Case("receipt", "read", read, message="none"),
        Case("receipt", "not-read", deleted, message="none"),
        Case("dsn-success", "relayed", relayed, {to: "none"}),
        Case("dsn-success", "delivered", delivered, {to: "none"}),
    ]


def several() -> list[Case]:
    """One notice about several recipients, each with an answer of its own."""
    gone, full, spam = "gone@college.example", "full@college.example", "spam@college.example"
    fields = "\n\n".join(
        [
            status_fields(gone, "5.1.1", f"550 5.1.1 <{gone}> No such user here"),
            status_fields(full, "5.2.2", "552 5.2.2 Mailbox size limit exceeded"),
            status_fields(spam, "5.7.1", "554 5.7.1 Message scored 9.1 spam points; user unknown to our allowlist"),
        ]
    )
    three = report(
        f"<{gone}>: host mx said: 550 5.1.1 No such user here\n\n<{full}>: host mx said: 552 5.2.2 Mailbox size limit exceeded\n\n"
        f"<{spam}>: host mx said: 554 5.7.1 Message scored 9.1 spam points", fields, gone, sender="MAILER-DAEMON@mail.example",
        subject="Undelivered Mail Returned to Sender", mta="mail.example")  # fmt: skip
    a, b = "a.kahn@kirche.example", "b.kahn@kirche.example"
    exim = prose(
        f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\n"
        f"recipients. This is a permanent error. The following address(es) failed:\n\n  {a}\n    Unknown user at this domain\n  {b}\n"
        f"    mailbox is full: retry timeout exceeded\n\n------ This is a copy of the message, including all the headers. ------\n\n{original(a)}",
        sender="Mail Delivery System <Mailer-Daemon@kirche.example>", subject="Mail delivery failed: returning message to sender",
        extra=f"X-Failed-Recipients: {a},\n {b}\n")  # fmt: skip
    c, d = "c@parish.example", "d@parish.example"
    qmail = prose(
        "Hi. This is the qmail-send program at parish.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
        f"This is a permanent error; I've given up. Sorry it didn't work out.\n\n<{c}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        f"<{d}>:\nThe users mailfolder is over the allowed quota (size). (#5.2.2)\n\n--- Below this line is a copy of the message.\n\n{original(c)}",
        sender="MAILER-DAEMON@parish.example", subject="failure notice")  # fmt: skip
    forwarded = report(
        "<x.old@gmail.example> (expanded from <reader@alumni.example>): host gmail-smtp-in.l.google.example said: 550-5.1.1 The email\n"
        "    account that you tried to reach does not exist. (in reply to RCPT TO command)",
        "Final-Recipient: rfc822; x.old@gmail.example\nOriginal-Recipient: rfc822;reader@alumni.example\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.", "reader@alumni.example",
        sender="MAILER-DAEMON@alumni.example", subject="Undelivered Mail Returned to Sender", mta="alumni.example")  # fmt: skip
    return [
        Case("postfix", "three-answers", three, {gone: "hard", full: "full", spam: "blocked"}),
        Case("exim", "two-answers", exim, {a: "hard", b: "full"}),
        Case("qmail", "two-answers", qmail, {c: "hard", d: "full"}),
        Case("postfix", "forwarded", forwarded, {"x.old@gmail.example": "hard"}),
    ]


def ordinary() -> list[Case]:
    """People and lists, some of whom quote a bounce."""
    rows = [
        ("person", "asks-about-bounce", "Kim <kim@library.example>", "Your mail bounced?", "",
         "Hi,\n\nI got this when I answered you:\n\n> 550 5.1.1 <news@coalition.example>: Recipient address rejected: User unknown\n\nIs there another address?\n\nKim"),
        ("person", "forwards-bounce", "Lee <lee@museum.example>", "Fwd: Undelivered Mail Returned to Sender", "",
         "See below - any idea what our provider wants?\n\n---------- Forwarded message ---------\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\nSubject: Undelivered Mail Returned to Sender\n\n<board@museum.example>: host mx[203.0.113.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)"),
        ("person", "mailbox-full-talk", "Ed <ed@archive.example>", "Re: Winter news", "In-Reply-To: <run-41.8812@coalition.example>\n",
         "Thanks! My mailbox was full last week, so I may have missed the one before. Could you resend?"),
        ("person", "moved-house", "Sue <sue@friends.example>", "New address", "",
         "Hello, I have a new email address: sue.new@friends.example. Please use it from now on. Sue"),
        ("person", "job-change-reply", "Ida <ida@univ.example>", "Re: Winter news", "In-Reply-To: <run-41.8812@coalition.example>\n",
         "I no longer work with special collections; Tom (tom@univ.example) is the right person for this."),
        ("list", "mailman-welcome", "mailman-bounces@lists.example", "Welcome to the \"archives\" mailing list", "Precedence: bulk\nList-Id: <archives.lists.example>\n",
         "Welcome to the archives@lists.example mailing list! Your address will be disabled after too many bounces."),
        ("list", "sympa-digest", "archives-request@lists.example", "Digest archives 2026-02-02", "Precedence: list\nList-Id: <archives.lists.example>\n",
         "1. Re: 550 User unknown errors from our server\n2. mailbox full, again\n\n> My mail to ann@example.net failed: user unknown. Has anybody seen this?"),
        ("newsletter", "about-bounces", "Email Weekly <news@weekly.example>", "What hard bounces mean: 550 5.1.1 explained", "List-Unsubscribe: <https://weekly.example/u>\n",
         "A hard bounce (550 5.1.1 user unknown) means the mailbox does not exist. A soft one, such as 452 mailbox full, may pass."),
        ("monitor", "cron", "Cron Daemon <root@web1.example>", "Cron <root@web1> /usr/local/bin/check", "Auto-Submitted: auto-generated\n",
         "connect to mx.example[203.0.113.1]:25: Connection refused\n3 messages in queue"),
    ]  # fmt: skip
    return [
        Case(family, name, letter(text + "\n", sender=sender, subject=subject, extra=extra), message="none")
        for family, name, sender, subject, extra, text in rows
    ]


def list_notices() -> list[Case]:
    """List servers that say no to a post."""
    to = "archives@lists.univ.example"
    held = letter(
        "Your mail to 'archives' with the subject\n\n    Winter news: new opening hours\n\nIs being held until the list moderator can review it for approval.\n"
        "The reason it is being held:\n\n    Post by non-member to a members-only list\n",
        sender="archives-bounces@lists.univ.example", subject="Your message to archives awaits moderator approval",
        extra="Auto-Submitted: auto-replied\nPrecedence: bulk\n")  # fmt: skip
    listserv = letter(
        f"Your message is being returned to you unprocessed because you are not authorized to send mail to the ARCHIVES list. The list\n"
        f"owner of {to} may grant you access.\n", sender="LISTSERV@univ.example", subject="Rejected posting to ARCHIVES@univ.example",
        extra="Auto-Submitted: auto-replied\n")  # fmt: skip
    return [
        Case("mailman", "held", held, message="auto"),
        Case("listserv", "rejected-posting", listserv, {to: "blocked"}),
    ]


def cases() -> list[Case]:
    groups = (absences, complaints, receipts, several, ordinary, list_notices)
    return [case for group in groups for case in group()]
