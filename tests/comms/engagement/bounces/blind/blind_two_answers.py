"""Second blind set: what other servers answered, many of them after public collections of such answers.

Written when the rules were known, of families and texts that they were not made on; labelled by RFC 3463 and by what
the operators say, before the rules were run on it.
"""

from __future__ import annotations

from collections.abc import Callable

from blind_forms import Case, exchange, exim, postfix, report, sendmail, status_fields


def _bare(to: str, host: str, answer: str, status: str) -> bytes:
    """A service that sends for others: fields, and next to no words of its own."""
    sender = "Mail Delivery Subsystem <mailer-daemon@relay.example>"
    return report(
        f"The following message to <{to}> was undeliverable.\nThe reason for the problem:\n{answer}",
        status_fields(to, status, answer, remote=host), to, sender=sender, subject="Delivery Status Notification (Failure)",
        mta="relay.example")  # fmt: skip


def _at_rcpt(to: str, host: str, answer: str, status: str) -> bytes:
    return postfix(to, host, answer, status)


def _after_data(to: str, host: str, answer: str, status: str) -> bytes:
    return postfix(to, host, answer, status, "end of DATA")


def _at_mail(to: str, host: str, answer: str, status: str) -> bytes:
    return postfix(to, host, answer, status, "MAIL FROM")


def _exim(to: str, host: str, answer: str, status: str) -> bytes:
    return exim(to, answer, host=host)


def _exchange(to: str, host: str, answer: str, status: str) -> bytes:
    text = "Delivery has failed to these recipients or distribution lists:"
    return exchange(
        to, text, status, f"#<{host} #{status} smtp;{answer}> #SMTP#", subject="Undeliverable: Winter news", org=host
    )


def _sendmail(to: str, host: str, answer: str, status: str) -> bytes:
    session = f"... while talking to {host}.:\n>>> RCPT To:<{to}>\n<<< {answer}\n550 5.1.1 <{to}>... User unknown"
    return sendmail(to, session, answer, status, answer, "relay.univ.example")


# name, label, form, answer, status
ANSWERS: list[tuple[str, str, Callable[[str, str, str, str], bytes], str, str]] = [
    ("comcast-not-customer", "hard", _at_rcpt, "550 5.1.1 Not our Customer", "5.1.1"),
    ("comcast-unallocated", "hard", _bare, "550 5.1.1 <{to}> recipient mailbox unallocated", "5.1.1"),
    ("comcast-dmarc", "blocked", _after_data, "550 5.2.0 Message rejected due to DMARC. Please see http://postmaster.comcast.net/smtp-error-codes.php#DM000001", "5.2.0"),
    ("comcast-overquota", "full", _at_rcpt, "552 5.2.2 {to} over quota. Mailbox exceeds storage", "5.2.2"),
    ("comcast-ratelimit", "soft", _at_mail, "421 4.1.0 198.51.100.7 Throttled - try again later. Please see http://postmaster.comcast.net/smtp-error-codes.php#RL000001", "4.1.0"),
    ("att-addressee", "hard", _at_rcpt, "550 5.2.1 <{to}>... Addressee unknown, relay=[198.51.100.7]", "5.2.1"),
    ("att-blank-mailhost", "hard", _at_rcpt, "550 5.2.1 <{to}>... blank mailhost - invalid address, relay=[198.51.100.7]", "5.2.1"),
    ("att-fix-rdns", "blocked", _at_mail, "550 5.7.1 Connections not accepted from servers without a valid sender coalition.example. Fix reverse DNS for 198.51.100.7", "5.7.1"),
    ("att-blocked", "blocked", _at_mail, "553 5.3.0 flph829 DNSBL:RBL 521< 198.51.100.7 >_is_blocked.For assistance forward this error to abuse_rbl@abuse-att.net", "5.3.0"),
    ("zoho-unknown", "hard", _at_rcpt, "550 5.1.1 <{to}> User unknown", "5.1.1"),
    ("zoho-dmarc", "blocked", _after_data, "550 5.7.1 Email rejected per DMARC policy for zoho.com", "5.7.1"),
    ("zoho-policy", "blocked", _bare, "554 5.2.3 MailPolicy violation Error delivering to mailboxes", "5.2.3"),
    ("zoho-flagged", "blocked", _after_data, "554 5.7.1 Email cannot be delivered. Reason: Email flagged as Spam.", "5.7.1"),
    ("proofpoint-not-valid", "hard", _at_rcpt, "550 5.1.1 This is not a valid email address. Please verify that you have the correct email address for your recipient.", "5.1.1"),
    ("proofpoint-marked-invalid", "soft", _at_rcpt, "550 5.7.1 <{to}>: Recipient address rejected: User email address is marked as invalid.", "5.7.1"),
    ("proofpoint-relay", "blocked", _at_rcpt, "554 5.7.1 <{to}>: Relay access denied", "5.7.1"),
    ("trend-block-sender", "blocked", _at_rcpt, "554 5.7.1 <{to}>: Recipient address rejected: BLOCK-SEND-ER.", "5.7.1"),
    ("trend-no-domain", "blocked", _at_rcpt, "554 5.7.1 <{to}>: Recipient address rejected: NO-DOMAIN.", "5.7.1"),
    ("trend-invalid", "hard", _at_rcpt, "554 5.7.1 <{to}>: Recipient address rejected: Invalid-Recipient.", "5.7.1"),
    ("zerospam-not-in-list", "hard", _at_rcpt, "554 5.7.1 <{to}>: Recipient address rejected: Not in recipient list", "5.7.1"),
    ("barracuda-cuda-nsu", "hard", _at_rcpt, "550 cuda_nsu 5.1.1 <{to}>... User unknown", "5.1.1"),
    ("barracuda-cuda-denied", "blocked", _at_rcpt, "550 cuda_nsu 5.4.1 [{to}]: Recipient address rejected: Access denied [mx.example]", "5.4.1"),
    ("barracuda-blocked", "blocked", _bare, "550 Blocked", "5.0.0"),
    ("barracuda-spoofed", "blocked", _after_data, "550 rejecting spoofed message", "5.0.0"),
    ("barracuda-banned", "blocked", _after_data, "554 rejecting banned content", "5.0.0"),
    ("mimecast-admin", "blocked", _at_rcpt, "550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550", "5.0.0"),
    ("mimecast-security", "blocked", _after_data, "554 Email rejected due to security policies - https://community.mimecast.com/docs/DOC-1369#554", "5.0.0"),
    ("outlook-hourly", "soft", _after_data, "554 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour.", "5.2.122"),
    ("outlook-spamhaus", "blocked", _at_mail, "550 5.7.1 Service unavailable, MailFrom domain is listed in Spamhaus. To request removal from this list see https://www.spamhaus.org/query/lookup/ (S8002)", "5.7.1"),
    ("aol-rejected", "hard", _at_rcpt, "550 5.1.1 <{to}>: Recipient address rejected: aol.com", "5.1.1"),
    ("yahoo-no-longer", "hard", _bare, "554 delivery error: dd {to} is no longer valid. [-20] - mta1.mail.example", "5.0.0"),
    ("yahoo-not-allowed", "blocked", _after_data, "554 Message not allowed - [299]", "5.0.0"),
    ("not-our-customer", "hard", _at_rcpt, "551 not our customer", "5.0.0"),
    ("user-does-not-exist", "hard", _sendmail, "551 user does not exist", "5.1.1"),
    ("mail-refused", "blocked", _after_data, "554 5.7.1 - ERROR: Mail refused", "5.7.1"),
    ("invalid-or-inactive", "soft", _at_rcpt, "553 Invalid/inactive user.", "5.0.0"),
    ("larger-or-full", "full", _exchange, "552 5.2.2 This message is larger than the current system limit or the recipient's mailbox is full. Create a shorter message body or remove attachments and try sending it again.", "5.2.2"),
    ("no-longer-on-server", "hard", _at_rcpt, "550 5.1.6 recipient no longer on server: {to}", "5.1.6"),
    ("rbl-junkmail", "blocked", _at_rcpt, '550-"JunkMail rejected - mail.coalition.example\n    550-[198.51.100.7]:34032 is in an RBL, see\n    550 https://www.spamhaus.org/query/ip/198.51.100.7"', "5.0.0"),
    # Other providers and servers
    ("secureserver-ib510", "blocked", _at_mail, "554 Your access to this mail server has been blocked. See https://www.secureserver.example/help IB510", "5.0.0"),
    ("secureserver-account", "hard", _at_rcpt, "550 5.1.1 <{to}> recipient rejected, account not found", "5.1.1"),
    ("ionos-unknown", "hard", _exim, "550 5.1.1 unknown recipient", "5.1.1"),
    ("strato-full", "full", _at_rcpt, "552 5.2.2 mailbox size limit reached for {to}", "5.2.2"),
    ("freenet-unknown", "hard", _at_rcpt, "550 inactive or unknown recipient - Empfaenger unbekannt", "5.0.0"),
    ("bluewin-policy", "blocked", _after_data, "550 5.7.9 bad content: message violates bulk mail guidelines of the recipient network", "5.7.9"),
    ("infomaniak-unknown", "hard", _at_rcpt, "550 5.1.1 <{to}>: Recipient address rejected: unverified address: user does not exist", "5.1.1"),
    ("ovh-no-user", "hard", _at_rcpt, "550 5.1.1 <{to}>: Email address could not be found, or was misspelled (G8)", "5.1.1"),
    ("ziggo-unknown", "hard", _at_rcpt, "550 5.1.1 <{to}> Onbekende ontvanger / unknown recipient", "5.1.1"),
    ("kpn-content", "blocked", _after_data, "554 5.7.1 Bericht geweigerd wegens inhoud (spamverdacht)", "5.7.1"),
    ("bt-block", "blocked", _at_mail, "554 5.7.1 Service unavailable - sender IP on BT block list", "5.7.1"),
    ("virgin-no-user", "hard", _at_rcpt, "550 5.1.1 <{to}> user unknown; rejecting", "5.1.1"),
    ("talktalk-suspended", "soft", _at_rcpt, "550 5.2.1 {to}: account suspended for non payment", "5.2.1"),
    ("rogers-max-hop", "soft", _bare, "554 5.4.0 Error: too many hops", "5.4.0"),
    ("telstra-full", "full", _exchange, "452 4.2.2 <{to}> user is over quota", "4.2.2"),
    ("rediff-nouser", "hard", _at_rcpt, "550 Mailbox inactive or user does not exist", "5.0.0"),
    ("naver-unknown", "hard", _at_rcpt, "550 5.1.1 No such user {to} - nsmtp", "5.1.1"),
    ("naver-spam", "blocked", _after_data, "554 5.7.1 The message from 198.51.100.7 with the subject looks like unwanted mail; unknown sender fingerprint - nsmtp", "5.7.1"),
    ("daum-full", "full", _at_rcpt, "552 5.2.2 수신자 메일함 용량 초과 (mailbox full)", "5.2.2"),
    ("softbank-unknown", "hard", _at_rcpt, "550 Invalid recipient: <{to}>", "5.0.0"),
    ("abv-no-user", "hard", _at_rcpt, "550 5.1.1 Mail box {to} not found", "5.1.1"),
    ("ukrnet-ratelimit", "soft", _at_rcpt, "451 4.7.1 Please try again later, unknown greylist triplet", "4.7.1"),
    ("rambler-no-user", "hard", _at_rcpt, "550 5.1.1 Пользователь не найден / no such user", "5.1.1"),
    ("centrum-policy", "blocked", _at_rcpt, "550 5.7.1 Odesilatel neni v seznamu povolenych, unknown sending server", "5.7.1"),
    ("terra-desconhecido", "hard", _at_rcpt, "550 5.1.1 Usuário desconhecido: {to}", "5.1.1"),
    ("bol-bloqueio", "blocked", _at_mail, "554 5.7.1 Mensagem recusada: endereco IP sem reverso ou inexistente no DNS", "5.7.1"),
    ("fastmail-unknown", "hard", _at_rcpt, "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table", "5.1.1"),
    ("migadu-unknown", "hard", _at_rcpt, "550 5.1.1 <{to}>: Address does not exist in this domain", "5.1.1"),
    ("proton-unknown", "hard", _at_rcpt, "550 5.1.1 <{to}>: Recipient address rejected: Address does not exist", "5.1.1"),
    ("proton-incoming-limit", "soft", _at_rcpt, "452 4.5.3 Too many messages for unknown reasons from this sender, slow down", "4.5.3"),
    ("tuta-dkim", "blocked", _after_data, "550 5.7.1 DKIM signature invalid, key not found in DNS for coalition.example", "5.7.1"),
    ("cloudflare-routing", "soft", _at_rcpt, "521 5.3.0 Upstream error, recipient server does not accept the forwarded message", "5.3.0"),
    ("cloudflare-unknown", "hard", _at_rcpt, "550 5.1.1 Address does not exist.", "5.1.1"),
    ("forwarder-spf", "blocked", _after_data, "550 5.7.1 SPF record of coalition.example not found or invalid; sender unknown", "5.7.1"),
    ("smartermail-unknown", "hard", _at_rcpt, "550 <{to}> No such user here", "5.0.0"),
    ("surgemail-friends", "blocked", _at_rcpt, "550 {to} only accepts mail from friends, sender is not known", "5.0.0"),
    ("xmail-no-mailbox", "hard", _at_rcpt, "550 Mailbox unavailable <{to}>", "5.0.0"),
    ("mailscanner-virus", "blocked", _after_data, "550 5.7.0 message contains unknown executable; virus scanner not found clean", "5.7.0"),
    ("amavis-banned", "blocked", _bare, "554 5.7.0 Reject, id=11-02 - BANNED: unknown name in archive", "5.7.0"),
    ("postini-invalid", "hard", _at_rcpt, "550 No such user - psmtp", "5.0.0"),
    ("mailchannels-domain", "blocked", _bare, "550 5.7.1 [SDNF] Sender domain not found: coalition.example does not exist in our account list", "5.7.1"),
    ("dbmail-helo", "blocked", _at_rcpt, "550 5.7.1 Helo command rejected: Host not found", "5.7.1"),
    ("directory-down", "soft", _at_rcpt, "550 5.3.0 Recipient lookup failed: LDAP server not found", "5.3.0"),
    ("moved-platform", "soft", _bare, "550 5.3.2 This mail system has moved to a new platform, user data not available during maintenance", "5.3.2"),
    ("closed-list", "blocked", _at_rcpt, "550 5.7.2 The list does not exist for non-members: posting restricted", "5.7.2"),
    ("attachment-name", "blocked", _after_data, "552 5.7.0 Illegal name in attachment not allowed", "5.7.0"),
    ("relay-recipient-elsewhere", "blocked", _at_rcpt, "550 5.7.1 <{to}>... Relaying denied. Proper authentication required, user not found in session", "5.7.1"),
    ("tls-required", "blocked", _at_rcpt, "530 5.7.0 Must issue a STARTTLS command first", "5.7.0"),
    ("bad-mx-of-sender", "blocked", _at_rcpt, "553 5.1.8 <news@coalition.example>... Domain of sender address does not exist", "5.1.8"),
    ("no-mx-of-helo", "blocked", _exim, "550 unknown host: mail.coalition.example does not resolve", "5.0.0"),
    ("exchange-no-place", "hard", _exchange, "550 5.1.1 User unknown", "5.1.1"),
    ("exchange-blocked-unknown", "blocked", _exchange, "550 5.7.1 Unknown sender, rejected by recipient's company guidelines", "5.7.1"),
    ("custom-5-1-1-policy", "blocked", _at_rcpt, "550 5.1.1 Your message has been rejected by the administrator's rules", "5.1.1"),
    ("custom-5-1-1-country", "blocked", _at_rcpt, "550 5.1.1 Recipient refuses mail from your country", "5.1.1"),
]  # fmt: skip


def cases() -> list[Case]:
    return [
        Case(name.split("-")[0], name, form(to, f"mx.{name}.example", answer.format(to=to), status), {to: label})
        for number, (name, label, form, answer, status) in enumerate(ANSWERS)
        for to in [f"member{number}@{name}.example"]
    ]
