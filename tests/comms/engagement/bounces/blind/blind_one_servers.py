"""First blind set: notices of mail servers and gateways in their own forms.

Labelled by RFC 3463 and by what the makers say of their own notices, before the code of our rules was read or run.
"""

from __future__ import annotations

from blind_forms import (
    Case,
    exchange,
    exim,
    gmail,
    original,
    postfix,
    prose,
    qmail,
    report,
    sendmail,
    status_fields,
)

# family, name, label, answer, status, command
GATEWAYS = [
    ("proofpoint", "user-unknown", "hard", "550 5.1.1 <{to}>... User unknown", "5.1.1", "RCPT TO"),
    ("proofpoint", "ip-blocked", "blocked", "554 Blocked - see https://ipcheck.proofpoint.com/?ip=198.51.100.7", "5.0.0", "MAIL FROM"),
    ("proofpoint", "spam-rule", "blocked", "550 5.7.0 Local Policy Violation", "5.7.0", "end of DATA"),
    ("mimecast", "user-entry", "blocked", "550 Envelope blocked - User Entry - https://community.mimecast.com/docs/DOC-1369#550 [gz1Vvz1VN9ikuI]", "5.0.0", "RCPT TO"),
    ("mimecast", "invalid-recipient", "hard", "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [Qk1Vvz]", "5.0.0", "RCPT TO"),
    ("mimecast", "antispoofing", "blocked", "550 Rejected by header based Anti-Spoofing policy: news@coalition.example - https://community.mimecast.com/docs/DOC-1369#550", "5.0.0", "end of DATA"),
    ("mimecast", "greylist", "soft", "451 Internal resource temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451", "4.0.0", "RCPT TO"),
    ("barracuda", "reputation", "blocked", "554 Service unavailable; Client host [198.51.100.7] blocked using Barracuda Reputation; http://www.barracudanetworks.com/reputation/?r=1&ip=198.51.100.7", "5.0.0", "RCPT TO"),
    ("barracuda", "no-such-user", "hard", "550 No such user ({to})", "5.0.0", "RCPT TO"),
    ("barracuda", "intent", "blocked", "550 permanent failure for one or more recipients ({to}:blocked)", "5.0.0", "end of DATA"),
    ("barracuda", "sender-policy", "blocked", "550 permanent failure for one or more recipients ({to}:550 5.7.1 Service unavailable, sender policy)", "5.0.0", "end of DATA"),
    ("ironport", "rejected-address", "hard", "550 #5.1.0 Address rejected.", "5.1.0", "RCPT TO"),
    ("ironport", "sender-group", "blocked", "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this failure is in error, please contact the intended recipient via alternate means.", "5.0.0", "MAIL FROM"),
    ("ironport", "content", "blocked", "554 5.7.1 #5.7.1 The message has been rejected by content filter 'marketing_bulk'", "5.7.1", "end of DATA"),
    ("sophos", "spf", "blocked", "550 5.7.1 Email rejected per SPF policy", "5.7.1", "end of DATA"),
    ("sophos", "unknown", "hard", "550 5.1.1 Address does not exist", "5.1.1", "RCPT TO"),
    ("symantec", "no-route", "hard", "550-Invalid recipient <{to}>\n    550 (#5.1.1)", "5.1.1", "RCPT TO"),
    ("symantec", "heuristics", "blocked", "553-Message filtered. Refer to the Troubleshooting page at\n    553-http://www.symanteccloud.com/troubleshooting for more\n    553 information. (#5.7.1)", "5.7.1", "end of DATA"),
    ("symantec", "directory", "hard", "550-No such recipient in directory\n    550 (#5.1.1)", "5.1.1", "RCPT TO"),
    ("trendmicro", "ers", "blocked", "550 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using Trend Micro Email Reputation database. Please see <http://www.mail-abuse.com/cgi-bin/lookup?198.51.100.7>", "5.7.1", "RCPT TO"),
    ("trendmicro", "recipient-filter", "hard", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in recipient directory", "5.1.1", "RCPT TO"),
    ("fortimail", "access-control", "blocked", "550 5.7.1 Recipient address rejected: access denied by access control rule", "5.7.1", "RCPT TO"),
    ("fortimail", "geo-ip", "blocked", "550 5.7.1 The email from 198.51.100.7 is rejected by FortiGuard-IP: see http://www.fortiguard.com/antispam", "5.7.1", "MAIL FROM"),
    ("fortimail", "mailbox-unknown", "hard", "550 5.1.1 <{to}>... User unknown in LDAP profile", "5.1.1", "RCPT TO"),
    ("cloudmark", "content-block", "blocked", "550 5.2.0 xKQk1n00D5D Message rejected due to content (Cloudmark Authority): suspected newsletter spam", "5.2.0", "end of DATA"),
    ("vade", "spam", "blocked", "554 5.7.1 Gtiuqd: message rejected by Vade filter (spam:high)", "5.7.1", "end of DATA"),
    ("spamtitan", "rbl", "blocked", "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/198.51.100.7", "5.7.1", "RCPT TO"),
    ("hornetsecurity", "unknown", "hard", "550 5.1.1 <{to}>: unknown user, please check the address", "5.1.1", "RCPT TO"),
    ("antispameurope", "sender-unknown", "blocked", "550 5.1.8 <news@coalition.example>: Sender address rejected: Domain not found", "5.1.8", "RCPT TO"),
    ("messagelabs", "sender-verify", "blocked", "550 Sender verify failed: unknown user at sender domain", "5.0.0", "RCPT TO"),
    ("zimbra", "quota", "full", "452 4.2.2 Over quota", "4.2.2", "end of DATA"),
    ("dovecot", "quota-lmtp", "full", "552 5.2.2 <{to}> Quota exceeded (mailbox for user is full)", "5.2.2", "end of DATA"),
    ("dovecot", "unknown-lmtp", "hard", "550 5.1.1 <{to}> User doesn't exist: {to}", "5.1.1", "RCPT TO"),
    ("cyrus", "over-quota", "full", "550 5.2.2 Over quota SESSIONID=<cyrus-1770022805-1>", "5.2.2", "end of DATA"),
    ("cyrus", "unknown", "hard", "550-Mailbox unknown.  Either there is no mailbox associated with this\n    550-name or you do not have authorization to see it.\n    550 5.1.1 User unknown", "5.1.1", "RCPT TO"),
    ("postgrey", "greylisted", "soft", "450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/archive.example.html", "4.2.0", "RCPT TO"),
    ("opensmtpd", "invalid", "hard", "550 Invalid recipient: <{to}>", "5.0.0", "RCPT TO"),
    ("mdaemon", "unknown", "hard", "550 5.1.1 <{to}> Recipient unknown", "5.1.1", "RCPT TO"),
    ("mdaemon", "tarpit", "blocked", "550 5.7.1 Too many invalid recipients from your site, connection refused by dynamic screening", "5.7.1", "RCPT TO"),
    ("hmailserver", "unknown", "hard", "550 Unknown user", "5.0.0", "RCPT TO"),
    ("hmailserver", "inactive", "soft", "550 Account is not active.", "5.0.0", "RCPT TO"),
    ("mailenable", "relay", "blocked", "503 This mail server requires authentication when attempting to send to a non-local e-mail address. Please check your mail client settings or contact your administrator", "5.0.0", "RCPT TO"),
    ("icewarp", "unknown", "hard", "550 5.1.1 <{to}> User unknown; rejecting", "5.1.1", "RCPT TO"),
    ("icewarp", "spam", "blocked", "554 5.7.1 Message cannot be accepted, spam rejection", "5.7.1", "end of DATA"),
    ("kerio", "unknown", "hard", "550 5.1.1 Mailbox <{to}> does not exist", "5.1.1", "RCPT TO"),
    ("kerio", "relay", "blocked", "550 5.7.1 Relaying to <{to}> denied (authentication required)", "5.7.1", "RCPT TO"),
    ("communigate", "unknown", "hard", "550 {to} unknown user account", "5.0.0", "RCPT TO"),
    ("communigate", "full", "full", "552 the account storage limit would be exceeded, {to}", "5.0.0", "RCPT TO"),
    ("groupwise", "no-user", "hard", "550 5.1.1 User unknown (GWIA)", "5.1.1", "RCPT TO"),
    ("oracle-ucs", "overquota", "full", "452 4.2.2 user over quota; cannot receive new mail: {to}", "4.2.2", "RCPT TO"),
    ("oracle-ucs", "unknown", "hard", "550 5.1.1 unknown or illegal alias: {to}", "5.1.1", "RCPT TO"),
    ("haraka", "cannot-deliver-for", "soft", "550 I cannot deliver mail for <{to}>", "5.0.0", "RCPT TO"),
    ("rspamd", "reject", "blocked", "554 5.7.1 Spam message rejected; If this is not spam contact abuse at postmaster", "5.7.1", "end of DATA"),
    ("size", "limit", "blocked", "552 5.3.4 Message size exceeds fixed limit", "5.3.4", "MAIL FROM"),
    ("haproxy", "proxy-timeouts", "soft", "451 4.3.2 Temporary server error, please try again later PRX4", "4.3.2", "end of DATA"),
    ("university", "retired", "soft", "550 5.2.1 {to}: mailbox disabled, this person has left the institution", "5.2.1", "RCPT TO"),
    ("university", "no-bulk", "blocked", "550 5.7.1 Mailing list and bulk messages to unknown staff users are not accepted here", "5.7.1", "RCPT TO"),
    ("ses", "suppression", "soft", "554 5.7.1 Recipient is on the account suppression list", "5.7.1", "end of DATA"),
]  # fmt: skip


def gateway_cases() -> list[Case]:
    """Answers of gateways in front of organisations, as their customers' senders see them."""
    return [
        Case(family, name, postfix(to, f"mx.{family}.example", answer.format(to=to), status, command), {to: label})
        for number, (family, name, label, answer, status, command) in enumerate(GATEWAYS)
        for to in [f"reader{number}@{family}-customer.example"]
    ]


def own_reasons() -> list[Case]:
    """What the coalition's Postfix says of itself: name service, connections, time."""
    rows = [
        (
            "nxdomain",
            "hard",
            "Host or domain name not found. Name service error for\n    name=oldlibrary.example type=AAAA: Host not found",
            "5.4.4",
        ),
        ("null-mx", "hard", "Domain oldlibrary.example does not accept mail (nullMX)", "5.1.0"),
        ("expired", "soft", "connect to mx.oldlibrary.example[203.0.113.80]:25:\n    Connection timed out", "4.4.1"),
        (
            "servfail",
            "soft",
            "Host or domain name not found. Name service error for\n    name=mx.oldlibrary.example type=A: Host not found, try again",
            "4.4.3",
        ),
        ("tls", "soft", "Server certificate not trusted", "4.7.5"),
        ("loop", "soft", "mail for oldlibrary.example loops back to myself", "5.4.6"),
        ("local", "hard", 'unknown user: "marta"', "5.1.1"),
    ]
    to = "marta@oldlibrary.example"
    return [
        Case("postfix", f"own-{name}", postfix(to, "", answer, status), {to: label})
        for name, label, answer, status in rows
    ]


def exim_cases() -> list[Case]:
    rows = [
        ("no-such-user-here", "hard", 'No such person at this address', ""),
        ("unrouteable-domain", "hard", "Unrouteable address", ""),
        ("all-hosts-failing", "soft", "retry timeout exceeded", ""),
        ("mailbox-full", "full", "mailbox is full (MTA-imposed quota exceeded while writing to file\n    /home/arch/mail/museum.example/jo/new/12): retry timeout exceeded", ""),
        ("cpanel-disk-quota", "full", "Mailbox quota exceeded / Disk quota exceeded", "mx.cpanel.example"),
        ("helo-dns", "blocked", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", "mx2.cpanel.example"),
        ("rdns", "blocked", "550-Reverse DNS lookup failed for 198.51.100.7: host not found\n    550 Unable to verify your host", "mx3.cpanel.example"),
        ("callout", "blocked", "550-Verification failed for <bounces@lists.coalition.example>\n    550-Unknown user in sender callout\n    550 Sender verify failed", "mx4.cpanel.example"),
        ("verify-recipient", "hard", "550 No Such User Here", "mx5.cpanel.example"),
        ("ratelimit", "blocked", "Domain coalition.example has exceeded the max defers and failures per hour (5/5 (100%))\n    allowed. Message discarded.", ""),
        ("lowest-mx-local", "soft", "all relevant MX records point to non-existent hosts or\n    (invalidly) to IP addresses, or lowest numbered MX record points to local host", ""),
    ]  # fmt: skip
    return [
        Case("exim", name, exim(to, answer, host=host), {to: label})
        for name, label, answer, host in rows
        for to in [f"{name}@museum.example"]
    ]


def sendmail_cases() -> list[Case]:
    one, two, three = "curator@town.example", "shop@town.example", "alumni@college.example"
    return [
        Case("sendmail", "user-unknown", sendmail(
            one, f"... while talking to mx.town.example.:\n>>> DATA\n<<< 550 5.1.1 <{one}>... User unknown\n"
            f"550 5.1.1 <{one}>... User unknown\n<<< 503 5.0.0 Need RCPT (recipient)",
            f"550 5.1.1 <{one}>... User unknown", "5.1.1", f"550 5.1.1 <{one}>... User unknown", "relay.isp.example"),
            {one: "hard"}),
        Case("sendmail", "dsn-greylisted-timeout", sendmail(
            two, f"451 4.7.1 <{two}>... Please try again later\nMessage could not be delivered for 5 days\n"
            "Message will be deleted from queue", "451 4.7.1 Greylisting in action, please come back later", "4.4.7",
            "451 4.7.1 Greylisting in action, please come back later", "relay.isp.example"), {two: "soft"}),
        Case("sendmail", "cant-create-output", sendmail(
            three, "procmail: Quota exceeded while writing \"/var/mail/alumni\"\n550 5.0.0 <alumni@college.example>... Can't create output",
            "Can't create output", "5.0.0", "", "mail.college.example"), {three: "full"}),
        Case("sendmail", "service-unavailable", sendmail(
            three, "... while talking to filter.college.example.:\n<<< 554 5.7.1 Message content rejected, id=22 - SPAM",
            "554 5.7.1 Message content rejected, id=22 - SPAM", "5.7.1", "554 5.7.1 Message content rejected, id=22 - SPAM",
            "relay.isp.example"), {three: "blocked"}),
    ]  # fmt: skip


def qmail_cases() -> list[Case]:
    rows = [
        ("qmail", "no-mailbox", "hard", "Sorry, no mailbox here by that name. (#5.1.1)"),
        ("qmail", "vpopmail-quota", "full", "user is over quota"),
        ("qmail", "vpopmail-unknown", "hard", "Sorry, no mailbox here by that name. vpopmail (#5.1.1)"),
        ("netqmail", "no-host", "hard", "Sorry, I couldn't find any host named oldlibrary.example. (#5.1.2)"),
        ("netqmail", "not-in-rcpthosts", "blocked", "203.0.113.4 does not like recipient.\nRemote host said: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\nGiving up on 203.0.113.4."),
        ("qmail", "connected-but-died", "soft", "Connected to 203.0.113.4 but connection died. (#4.4.2)\nI'm not going to try again; this message has been in the queue too long."),
        ("qmail", "remote-unknown", "hard", "203.0.113.4 does not like recipient.\nRemote host said: 550 5.1.1 No such user - pz\nGiving up on 203.0.113.4."),
        ("qmail", "remote-spf", "blocked", "203.0.113.4 failed after I sent the message.\nRemote host said: 550 SPF unauthorized mail is prohibited; unknown sender host."),
        ("netqmail", "badmailto", "blocked", "Sorry, your envelope recipient has been denied (#5.7.1)"),
        ("plesk-qmail", "rejected", "soft", "This mailbox has been disabled. (#5.2.1)"),
    ]  # fmt: skip
    return [
        Case(family, f"{name}", qmail(to, said), {to: label})
        for family, name, label, said in rows
        for to in [f"{name}@abbey.example"]
    ]


def google_cases() -> list[Case]:
    to = "ruth@archive.example"
    return [
        Case("gmail", "address-not-found-en", gmail(
            to, "Address not found", f"Your message wasn't delivered to {to} because the address couldn't be found, or is unable to receive mail.",
            "550 5.1.1 The email account that you tried to reach does not exist.", "5.1.1"), {to: "hard"}),
        Case("gmail", "domain-not-found-de", gmail(
            to, "Adresse nicht gefunden", f"Ihre Nachricht wurde nicht an {to} zugestellt, weil die Domain archive.example nicht gefunden werden konnte.",
            "DNS Error: DNS type 'mx' lookup of archive.example responded with code NXDOMAIN. Domain name not found: archive.example",
            "4.0.0", learn="WEITERE INFORMATIONEN"), {to: "hard"}),
        Case("gmail", "message-blocked-fr", gmail(
            to, "Message bloqué", f"Votre message à {to} a été bloqué. Consultez les détails techniques ci-dessous.",
            "554 5.7.1 Rejected: the sending domain is listed in a URI blocklist", "5.7.1", learn="EN SAVOIR PLUS"), {to: "blocked"}),
        Case("gmail", "inbox-full-es", gmail(
            to, "Bandeja de entrada llena del destinatario", f"Tu mensaje no se ha entregado a {to}. La bandeja de entrada del destinatario está llena o recibe demasiados correos.",
            "452 4.2.2 The recipient's inbox is out of storage space.", "4.2.2", learn="MÁS INFORMACIÓN"), {to: "full"}),
        Case("gmail", "not-delivered-pt", gmail(
            to, "Endereço não encontrado", f"Sua mensagem não foi entregue a {to} porque o endereço não foi encontrado ou não pode receber e-mails.",
            "550 5.1.1 <ruth@archive.example>: Recipient address rejected: User unknown in virtual mailbox table", "5.1.1", learn="SAIBA MAIS"), {to: "hard"}),
        Case("gmail", "delivery-incomplete-it", gmail(
            to, "Consegna incompleta", f"Si è verificato un problema temporaneo durante la consegna del tuo messaggio a {to}. Gmail riproverà per altre 46 ore.",
            "The recipient server did not accept our requests to connect. [mx.archive.example. 203.0.113.7: timed out]", "4.4.1",
            learn="ULTERIORI INFORMAZIONI"), {to: "soft"}),
    ]  # fmt: skip


def exchange_cases() -> list[Case]:
    to = "j.weber@landesarchiv.example"
    org = "landesarchiv.example"
    rows = [
        ("de-recipnotfound", "hard", "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden. Überprüfen Sie die E-Mail-Adresse, und versuchen Sie, die Nachricht erneut zu senden.",
         "5.1.1", "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##", "Unzustellbar: Winter news"),
        ("fr-quota", "full", "Échec de la remise à ces destinataires ou groupes :\n\nLa boîte aux lettres du destinataire est pleine et ne peut pas accepter de messages pour l'instant.",
         "5.2.2", "#554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException; Failed to process message due to a permanent exception ##", "Non remis : Winter news"),
        ("es-365-5110", "hard", "No se pudo entregar a estos destinatarios o grupos:\n\nNo se encuentra la dirección de correo que escribió.",
         "5.1.10", "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient j.weber@landesarchiv.example not found by SMTP address lookup'", "No se puede entregar: Winter news"),
        ("pt-restricted", "blocked", "Falha na entrega a estes destinatários ou grupos:\n\nA mensagem não pode ser entregue porque não tem permissão para enviar para este destinatário.",
         "5.7.133", "Remote Server returned '550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group'", "Não foi possível entregar: Winter news"),
        ("it-5-7-1", "blocked", "Impossibile recapitare il messaggio ai seguenti destinatari o gruppi:\n\nIl messaggio non può essere recapitato. Le autorizzazioni di recapito sono limitate.",
         "5.7.1", "#550 5.7.1 RESOLVER.RST.AuthRequired; authentication required ##rfc822;j.weber@landesarchiv.example", "Non recapitabile: Winter news"),
        ("ja-5-1-1", "hard", "次の受信者またはグループへの配信に失敗しました:\n\n入力した電子メール アドレスが見つかりませんでした。",
         "5.1.1", "#< #5.1.1 smtp;550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found> #SMTP#", "配信不能: Winter news"),
        ("zh-5-2-3", "blocked", "未能向以下收件人或通讯组传递邮件:\n\n此邮件太大,无法传递。请减小邮件大小,然后重试。",
         "5.2.3", "#550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient ##", "未送达: Winter news"),
        ("ru-5-4-6", "soft", "Не удалось выполнить доставку следующим получателям или группам:\n\nСервер обнаружил петлю при доставке сообщения.",
         "5.4.6", "#554 5.4.6 Hop count exceeded - possible mail loop ##", "Не удается доставить: Winter news"),
        ("nl-5-4-14", "soft", "Kan bericht niet bezorgen bij de volgende ontvangers of groepen:\n\nEr is een routeringslus gevonden.",
         "5.4.14", "Remote Server returned '554 5.4.14 Hop count exceeded - possible mail loop ATTR34'", "Onbestelbaar: Winter news"),
        ("en-365-5-4-310", "hard", "Your message to j.weber@landesarchiv.example couldn't be delivered.\n\nlandesarchiv.example couldn't be found: the domain does not exist in DNS.",
         "5.4.310", "Remote Server returned '550 5.4.310 DNS domain landesarchiv.example does not exist [Message=InfoDomainNonexistent] [LastAttemptedServerName=landesarchiv.example]'", "Undeliverable: Winter news"),
        ("en-365-450", "soft", "Delivery has failed to these recipients or groups:\n\nSeveral attempts to deliver your message were unsuccessful and we stopped trying.",
         "5.4.300", "Remote Server returned '550 5.4.300 Message expired -> 451 4.4.0 Primary target IP address responded with: 421 4.2.1 unable to connect. Attempted failover to alternate host, but that did not succeed'", "Undeliverable: Winter news"),
        ("en-rule-rejected", "blocked", "Your message to j.weber@landesarchiv.example was rejected by the organization.\n\nA custom mail flow rule created by an admin at landesarchiv.example has blocked your message.",
         "5.7.1", "Remote Server returned '550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy'", "Undeliverable: Winter news"),
        ("en-365-5-7-124", "blocked", "Your message couldn't be delivered because you aren't on the group's allowed senders list.",
         "5.7.124", "Remote Server returned '550 5.7.124 RESOLVER.RST.NotAuthorizedToGroup; not authorized to send to the distribution group because the sender isn't in the group's allowed-senders list'", "Undeliverable: Winter news"),
        ("en-ondeliver-disabled", "soft", "The following recipient(s) cannot be reached: the mailbox is currently not accepting messages.",
         "5.2.1", "#550 5.2.1 STOREDRV.Deliver: mailbox is disabled ##", "Undeliverable: Winter news"),
        ("en-365-5-1-8", "blocked", "Your message couldn't be delivered because you weren't recognized as a valid sender.",
         "5.1.8", "Remote Server returned '550 5.1.8 Access denied, bad outbound sender AS(42004)'", "Undeliverable: Winter news"),
        ("en-2003-no-such", "hard", "Your message did not reach some or all of the intended recipients.\n\n      Subject:  Winter news\n      Sent:     2/2/2026 9:00 AM\n\nThe e-mail account does not exist at the organization this message was sent to.  Check the e-mail address, or contact the recipient directly to find out the correct address.",
         "5.1.1", "<mail.landesarchiv.example #5.1.1>", "Undeliverable: Winter news"),
    ]  # fmt: skip
    return [
        Case("exchange", name, exchange(to, text, status, diagnostic, subject=subject, org=org), {to: label})
        for name, label, text, status, diagnostic, subject in rows
    ]


def directory_servers() -> list[Case]:
    """Servers of offices and universities, with forms of their own."""
    to = "d.rossi@biblioteca.example"
    below = original(to)
    daemon = "postmaster@biblioteca.example"
    domino = report(
        "Your message\n\n  Subject: Winter news: new opening hours\n\nwas not delivered to:\n\n  " + to
        + "\n\nbecause:\n\n  User d.rossi (d.rossi@biblioteca.example) not listed in Domino Directory",
        status_fields(to, "5.1.1", "550 5.1.1 User d.rossi not listed in Domino Directory"), to, sender=daemon,
        subject="DELIVERY FAILURE: User d.rossi (d.rossi@biblioteca.example) not listed in Domino Directory", mta="domino.biblioteca.example")  # fmt: skip
    domino_full = report(
        f"Your message\n\n  Subject: Winter news\n\nwas not delivered to:\n\n  {to}\n\nbecause:\n\n"
        "  Error delivering to DOMINO/BIB mail\\drossi.nsf; Database Quota Exceeded", status_fields(to, "5.0.0"),
        to, sender=daemon, subject="DELIVERY FAILURE: Error delivering to mail\\drossi.nsf", mta="domino.biblioteca.example")  # fmt: skip
    ims = report(
        f"This report relates to a message you sent with the following header fields:\n\n  Subject: Winter news\n\n"
        f"Your message cannot be delivered to the following recipients:\n\n  Recipient address: {to}\n"
        "  Reason: Rejection greeting returned by server.\n  Diagnostic code: smtp;550-mail from 198.51.100.7 refused - poor sender score\n",
        status_fields(to, "5.0.0", "550-mail from 198.51.100.7 refused - poor sender score"), to, sender=daemon,
        subject="Delivery Notification: Delivery has failed", mta="ims.biblioteca.example")  # fmt: skip
    pmdf = prose(
        f"This message was undeliverable due to the following reason:\n\n"
        f"Recipient address: {to}\nReason: Illegal host/domain name found\n\n----- Returned message -----\n{below}",
        sender="PMDF e-Mail Interconnect <postmaster@biblioteca.example>", subject="Delivery Notification: delivery failed")  # fmt: skip
    groupwise = prose(
        f"The message that you sent was undeliverable to the following:\n\t{to} (user not found)\n\nPossibly truncated original message follows:\n\n{below}",
        sender="Mailer-Daemon@biblioteca.example", subject="Message status - undeliverable")  # fmt: skip
    tonline = prose(
        f"|------------------------- Message log follows: -------------------------|\n no valid recipients were found for this message\n"
        f"|------------------------- Failed addresses follow: ---------------------|\n <{to}> ... unknown user\n"
        f"|------------------------- Message text follows: ------------------------|\n{below}",
        sender="<postmaster@mailin02.biblioteca.example>", subject="Mail delivery failed: returning message to sender")  # fmt: skip
    return [
        Case("domino", "not-listed", domino, {to: "hard"}),
        Case("domino", "database-quota", domino_full, {to: "full"}),
        Case("sun-ims", "sender-score", ims, {to: "blocked"}),
        Case("pmdf", "illegal-host", pmdf, {to: "hard"}),
        Case("groupwise", "not-found", groupwise, {to: "hard"}),
        Case("tonline", "failed-addresses", tonline, {to: "hard"}),
    ]


def smaller_servers() -> list[Case]:
    """Servers of small hosts, with forms of their own."""
    to = "d.rossi@biblioteca.example"
    below = original(to)
    courier = report(
        f"This is a delivery status notification from mail.biblioteca.example,\nrunning the Courier mail server, version 0.78.\n\n"
        f"The original message was received on Mon, 02 Feb 2026 09:00:02 +0000\n\n     UNDELIVERABLE MAIL\n\n"
        f"Your message to the following recipients cannot be delivered:\n\n<{to}>:\n    mx.biblioteca.example [203.0.113.6]:\n"
        f"    >>> RCPT TO:<{to}>\n    <<< 550 User unknown.\n", status_fields(to, "5.0.0", "550 User unknown."), to,
        sender='"Courier mail server at mail.biblioteca.example" <@>', subject="NOTICE: mail delivery status.", mta="mail.biblioteca.example")  # fmt: skip
    opensmtpd = report(
        f"    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n"
        f"    the following list of recipients:\n\n{to}: 550 5.1.1 Invalid recipient\n\n    Below is a copy of the original message:",
        status_fields(to, "5.1.1"), to, sender="Mailer Daemon <MAILER-DAEMON@smtpd.example>",
        subject="Delivery status notification: error", mta="smtpd.example")  # fmt: skip
    opensmtpd_delay = report(
        f"    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    A message is delayed for more than 4 hours for the following\n"
        f"    list of recipients:\n\n{to}: Network error on destination MXs\n",
        status_fields(to, "4.4.1", action="delayed"), to, sender="Mailer Daemon <MAILER-DAEMON@smtpd.example>",
        subject="Delivery status notification: delayed", mta="smtpd.example")  # fmt: skip
    mdaemon = prose(
        f"The attached message had PERMANENT fatal delivery errors!\n\nAfter one or more unsuccessful delivery attempts the attached message has\n"
        f"been removed from the mail queue on this server.\n\n--- Session Transcript ---\n Mon 2026-02-02 09:00:05: --> RCPT To:<{to}>\n"
        f" Mon 2026-02-02 09:00:06: <-- 550 5.1.1 <{to}>, Recipient unknown\n--- End Transcript ---\n\n{below}",
        sender="MDaemon at isp.example <MDaemon@isp.example>", subject="Permanent Delivery Failure",
        extra=f"X-Failed-Recipient: {to}\n")  # fmt: skip
    hmail = prose(
        f"Your message did not reach some or all of the intended recipients.\n\n   Sent: Mon, 2 Feb 2026 09:00:00 +0000\n   Subject: Winter news\n\n"
        f"The following recipient(s) could not be reached:\n\n{to}\n   Error Type: SMTP\n   Remote server (203.0.113.6) issued an error.\n"
        f"   hMailServer sent: RCPT TO:<{to}>\n   Remote server replied: 550 Mailbox quota exceeded.\n\nhMailServer\n",
        sender="mailer-daemon@isp.example", subject="Message undeliverable: Winter news: new opening hours")  # fmt: skip
    mailenable = prose(
        f"MailEnable: Message could not be delivered to some recipients.\nThe following recipient(s) could not be reached:\n\n"
        f"Recipient: [SMTP:{to}]\nReason: The message could not be delivered because the domain name (biblioteca.example) does not appear to be registered.\n\n"
        f"Message headers follow:\n\n{original(to, headers_only=True)}", sender="postmaster@isp.example",
        subject="Message Delivery Failure")  # fmt: skip
    return [
        Case("courier", "user-unknown", courier, {to: "hard"}),
        Case("opensmtpd", "notice-invalid", opensmtpd, {to: "hard"}),
        Case("opensmtpd", "notice-delayed", opensmtpd_delay, {to: "soft"}),
        Case("mdaemon", "transcript", mdaemon, {to: "hard"}),
        Case("hmailserver", "notice-quota", hmail, {to: "full"}),
        Case("mailenable", "no-domain", mailenable, {to: "hard"}),
    ]


def relays() -> list[Case]:
    """What stands between: services that send for others."""
    to = "d.rossi@biblioteca.example"
    below = original(to)
    ses = report(
        f"An error occurred while trying to deliver the mail to the following recipients:\n{to}",
        status_fields(to, "5.4.4", "550 5.4.4 Invalid domain"), to, sender="MAILER-DAEMON@eu-west-1.amazonses.com",
        subject="Delivery Status Notification (Failure)", mta="eu-west-1.amazonses.com", whole=False)  # fmt: skip
    stalwart = report(
        f"Your message could not be delivered to the following recipients:\n\n<{to}> (host 'mx.biblioteca.example' rejected command 'RCPT TO:<{to}>' with code 550 (5.1.2) 'Relay not allowed.')\n",
        status_fields(to, "5.1.2", "550 5.1.2 Relay not allowed."), to, sender="Mail Delivery Subsystem <MAILER-DAEMON@stalwart.example>",
        subject="Failed to deliver message", mta="stalwart.example")  # fmt: skip
    haraka = prose(
        f"Hi. This is the Haraka Mailer program at relay.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
        f"This is a permanent error; I've given up. Sorry it didn't work out.\n\nIntended Recipients: <{to}>\n"
        f"Failure Reason: 550 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using FBLW15\n\n{below}",
        sender="MAILER-DAEMON@relay.example", subject="Undelivered Mail Returned to Sender")  # fmt: skip
    warning = report(
        f"****************************************\n**      THIS IS A WARNING MESSAGE ONLY      **\n**  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n"
        f"****************************************\n\n{to}... Deferred: Connection refused by mx.biblioteca.example.\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old",
        status_fields(to, "4.4.1", "host mx.biblioteca.example refused", action="delayed"), to, sender="MAILER-DAEMON@relay.example",
        subject="Warning: could not send message for past 4 hours", mta="relay.example")  # fmt: skip
    return [
        Case("ses", "invalid-domain", ses, {to: "hard"}),
        Case("stalwart", "relay-not-allowed", stalwart, {to: "blocked"}),
        Case("haraka", "blocked", haraka, {to: "blocked"}),
        Case("sendmail", "warning", warning, {to: "soft"}),
    ]


def cases() -> list[Case]:
    groups = (
        gateway_cases,
        own_reasons,
        exim_cases,
        sendmail_cases,
        qmail_cases,
        google_cases,
        exchange_cases,
        directory_servers,
        smaller_servers,
        relays,
    )
    return [case for group in groups for case in group()]
