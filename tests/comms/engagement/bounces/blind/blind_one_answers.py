"""First blind set: what servers of the world answered to the coalition's own Postfix.

Labelled by RFC 3463 and by what the operators say of their own answers, before the code of our rules was read or run.
"""

from __future__ import annotations

from blind_forms import Case, postfix

RCPT = "RCPT TO"
END = "end of DATA"
MAIL = "MAIL FROM"

# name, label, recipient, host, answer, status, command
ANSWERS = [
    # Microsoft
    ("hotmail-no-mailbox", "hard", "lena.b@hotmail.com", "hotmail-com.olc.protection.outlook.com",
     "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [DB5EUR02FT009.eop-EUR02.prod.protection.outlook.com 2026-02-02T09:00:05.101Z 08DDE]", "5.5.0", RCPT),
    ("outlook-s3150", "blocked", "o.meier@outlook.com", "outlook-com.olc.protection.outlook.com",
     "550 5.7.1 Unfortunately, messages from [198.51.100.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [Name=Protocol Filter Agent][AGT=PFA][MxId=11BA2]", "5.7.1", MAIL),
    ("outlook-s3140", "blocked", "fatima@live.co.uk", "eur.olc.protection.outlook.com",
     "550 5.7.1 Unfortunately, messages from [198.51.100.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).", "5.7.1", MAIL),
    ("m365-dbeb", "blocked", "registrar@museum.example", "museum-example.mail.protection.outlook.com",
     "550 5.4.1 Recipient address rejected: Access denied. For more information see https://aka.ms/EXOSmtpErrors [AM4PEPF00027A63.eurprd04.prod.outlook.com 2026-02-02T09:00:05.101Z 08DDE]", "5.4.1", RCPT),
    ("outlook-auth-level", "blocked", "p.silva@outlook.com", "outlook-com.olc.protection.outlook.com",
     "550 5.7.515 Access denied, sending domain COALITION.EXAMPLE does not meet the required authentication level. The sender's domain in the 5322.From address doesn't meet the authentication requirements defined for the sender. Spf= Pass , Dkim= Fail , DMARC= Fail", "5.7.515", END),
    ("m365-ip-banned", "blocked", "archive@city.example", "city-example.mail.protection.outlook.com",
     "550 5.7.511 Access denied, banned sender[198.51.100.7]. To request removal from this list please forward this message to delist@microsoft.com.", "5.7.511", RCPT),
    ("m365-tenant-attribution", "blocked", "info@gallery.example", "gallery-example.mail.protection.outlook.com",
     "550 5.7.64 TenantAttribution; Relay Access Denied [DB3EUR04FT037.eop-eur04.prod.protection.outlook.com]", "5.7.64", RCPT),
    ("hotmail-rate", "soft", "jan@hotmail.nl", "nam.olc.protection.outlook.com",
     "451 4.7.650 The mail server [198.51.100.7] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775)", "4.7.650", MAIL),
    ("m365-suspicious-tenant", "blocked", "h.abe@univ.example", "univ-example.mail.protection.outlook.com",
     "550 5.7.705 Access denied, tenant has exceeded threshold", "5.7.705", END),
    # Google
    ("gmail-no-user", "hard", "ex.reader@gmail.com", "gmail-smtp-in.l.google.com",
     "550-5.1.1 The email account that you tried to reach does not exist. Please try\n    550-5.1.1 double-checking the recipient's email address for typos or\n    550-5.1.1 unnecessary spaces. For more information, go to\n    550 5.1.1  https://support.google.com/mail/?p=NoSuchUser a640c23a62f3a-si1 - gsmtp", "5.1.1", RCPT),
    ("gmail-over-quota", "full", "big.photos@gmail.com", "gmail-smtp-in.l.google.com",
     "552-5.2.2 The recipient's inbox is out of storage space. Please direct the\n    552-5.2.2 recipient to https://support.google.com/mail/?p=OverQuotaPerm\n    552 5.2.2 5b1f17b1804b1-si7 - gsmtp", "5.2.2", RCPT),
    ("gmail-inactive", "soft", "sleepy@gmail.com", "gmail-smtp-in.l.google.com",
     "550-5.2.1 The email account that you tried to reach is inactive. For more\n    550-5.2.1 information, go to\n    550 5.2.1  https://support.google.com/mail/?p=DisabledUser ffacd0b85a97d - gsmtp", "5.2.1", RCPT),
    ("gmail-unauthenticated", "blocked", "rosa@gmail.com", "gmail-smtp-in.l.google.com",
     "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\n    550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\n    550-5.7.26  Authentication results:\n    550-5.7.26  DKIM = did not pass\n    550-5.7.26  SPF [coalition.example] with ip: [198.51.100.7] = did not pass\n    550 5.7.26  https://support.google.com/mail/answer/81126#authentication - gsmtp", "5.7.26", END),
    ("gmail-unsolicited", "blocked", "tom@gmail.com", "gmail-smtp-in.l.google.com",
     "550-5.7.1 [198.51.100.7      12] Gmail has detected that this message is\n    550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail,\n    550-5.7.1 this message has been blocked. For more information, go to\n    550 5.7.1  https://support.google.com/mail/?p=UnsolicitedMessageError - gsmtp", "5.7.1", END),
    ("gmail-missing-headers", "blocked", "ed@gmail.com", "gmail-smtp-in.l.google.com",
     "550-5.7.1 This message is not RFC 5322 compliant. There are multiple From headers.\n    550-5.7.1 To reduce the amount of spam sent to Gmail, this message has been\n    550 5.7.1 blocked. - gsmtp", "5.7.1", END),
    ("workspace-domain-suspended", "soft", "desk@smalltown.example", "aspmx.l.google.com",
     "550-5.2.1 The email account that you tried to reach belongs to a domain which\n    550 5.2.1 has been suspended by its administrator. - gsmtp", "5.2.1", RCPT),
    ("workspace-group-policy", "blocked", "staff@county.example", "aspmx.l.google.com",
     "550-5.7.1 The user or domain that you are sending to (or from) has a policy that\n    550-5.7.1 prohibited the mail that you sent. Please contact your domain\n    550 5.7.1 administrator for further details. - gsmtp", "5.7.1", END),
    # Yahoo, AOL
    ("yahoo-not-found", "hard", "kate77@yahoo.com", "mta5.am0.yahoodns.net",
     "552 1 Requested mail action aborted, mailbox not found", "5.0.0", END),
    ("yahoo-dd", "hard", "old.friend@yahoo.fr", "mx-eu.mail.am0.yahoodns.net",
     "554 delivery error: dd This user doesn't have a yahoo.fr account (old.friend@yahoo.fr) [0] - mtaproxy511.free.mail.ir2.yahoo.com", "5.0.0", END),
    ("yahoo-disabled", "soft", "b.tate@ymail.com", "mta6.am0.yahoodns.net",
     "554 30 Sorry, your message to b.tate@ymail.com cannot be delivered. This mailbox is disabled (554.30).", "5.0.0", END),
    ("yahoo-policy", "blocked", "sue@aol.com", "mx-aol.mail.gm0.yahoodns.net",
     "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", "5.7.9", END),
    ("yahoo-deferred", "soft", "li@yahoo.com", "mta7.am0.yahoodns.net",
     "421 4.7.0 [TSS04] Messages from 198.51.100.7 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", "4.7.0", MAIL),
    ("yahoo-ts03", "blocked", "sam@rocketmail.com", "mta7.am0.yahoodns.net",
     "553 5.7.2 [TSS09] All messages from 198.51.100.7 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes", "5.7.2", MAIL),
    # Apple
    ("icloud-no-user", "hard", "vera@icloud.com", "mx01.mail.icloud.com",
     "550 5.1.1 <vera@icloud.com>: user does not exist", "5.1.1", RCPT),
    ("icloud-local-policy", "blocked", "nick@me.com", "mx02.mail.icloud.com",
     "554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137", "5.7.1", END),
    ("icloud-full", "full", "anna@mac.com", "mx02.mail.icloud.com",
     "552 5.2.2 <anna@mac.com>: user is over quota", "5.2.2", RCPT),
    # Germany
    ("gmx-unavailable", "hard", "karl@gmx.de", "mx00.emig.gmx.net",
     "550 Requested action not taken: mailbox unavailable\n    For explanation visit https://postmaster.gmx.net/en/error-messages?ip=198.51.100.7&c=unav", "5.0.0", RCPT),
    ("gmx-policy", "blocked", "frieda@web.de", "mx-ha03.web.de",
     "554-Transaction failed\n    554-Reject due to policy restrictions.\n    554 For explanation visit https://postmaster.web.de/de/case?c=r0701&i=ip&v=198.51.100.7", "5.0.0", END),
    ("gmx-no-mx", "blocked", "otto@gmx.at", "mx01.emig.gmx.net",
     "550-Requested action not taken: mailbox unavailable\n    550 invalid DNS MX or A/AAAA resource record", "5.0.0", MAIL),
    ("gmx-quota", "full", "ute@gmx.net", "mx00.emig.gmx.net",
     "552-Requested mail action aborted: exceeded storage allocation\n    552 Quota exceeded. The recipient's mailbox is full.", "5.0.0", RCPT),
    ("tonline-unknown", "hard", "hans@t-online.de", "mx00.t-online.de",
     "550 5.1.1 <hans@t-online.de> recipient unknown/Empfaenger unbekannt", "5.1.1", RCPT),
    ("tonline-blocked", "blocked", "inge@t-online.de", "mx03.t-online.de",
     "554 IP=198.51.100.7 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (BL)", "5.0.0", "initial 220 greeting"),
    ("posteo-full", "full", "mia@posteo.example", "mx01.posteo.example",
     "452 4.2.2 <mia@posteo.example>: Das Postfach des Empfaengers ist voll / mailbox is full", "4.2.2", RCPT),
    # France
    ("orange-invalid", "hard", "luc@orange.fr", "smtp-in.orange.fr",
     "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", "5.1.1", RCPT),
    ("orange-refused", "blocked", "zoe@wanadoo.fr", "smtp-in.orange.fr",
     "550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]", "5.2.0", END),
    ("orange-full", "full", "guy@wanadoo.fr", "smtp-in.orange.fr",
     "552 5.2.2 Boite du destinataire pleine. Recipient overquota OFR_417 [417]", "5.2.2", RCPT),
    ("orange-too-many", "soft", "eve@orange.fr", "smtp-in.orange.fr",
     "421 smtp-in.orange.fr ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR_108 [108]", "4.0.0", "initial 220 greeting"),
    ("free-inactive", "soft", "yann@free.fr", "mx1.free.fr", "550 5.2.1 This mailbox has been blocked due to inactivity (UserSearch)", "5.2.1", RCPT),
    ("free-spam", "blocked", "jo@free.fr", "mx2.free.fr", "554 5.7.1 spam detected by mailfilter", "5.7.1", END),
    ("laposte-dmarc", "blocked", "lise@laposte.net", "smtpz4.laposte.net",
     "550 5.7.1 Service refuse. Veuillez essayer plus tard. Service refused, please try later. LPN007_517 (DMARC)", "5.7.1", END),
    ("sfr-spam", "blocked", "paul@sfr.fr", "smtp-in.sfr.fr", "554 5.7.1 Spam message rejected", "5.7.1", END),
    # Italy, Spain, Portugal, Brazil
    ("libero-disabled", "soft", "gino@libero.it", "smtp-in.libero.it",
     "550 #5.1.0 Account temporaneamente sospeso per inattivita; mailbox suspended for inactivity", "5.1.0", RCPT),
    ("libero-unknown", "hard", "pina@libero.it", "smtp-in.libero.it", "550 smtp-17.iol.local smtp-17.iol.local Utente non esistente su questo sistema", "5.0.0", RCPT),
    ("tiscali-full", "full", "enzo@tiscali.it", "etb-1.mail.tiscali.it", "552 5.2.2 <enzo@tiscali.it> casella piena, spazio esaurito", "5.2.2", RCPT),
    ("telefonica-unknown", "hard", "pepe@telefonica.example", "mx.telefonica.example", "550 5.1.1 Usuario desconocido", "5.1.1", RCPT),
    ("uol-full", "full", "bia@uol.com.br", "mx.uol.com.br", "552 5.7.1 Caixa postal cheia. Mailbox quota exceeded", "5.7.1", RCPT),
    ("locaweb-unknown", "hard", "rui@escola.example", "mx.locaweb.example", "550 5.1.1 <rui@escola.example>: Usuario inexistente neste dominio", "5.1.1", RCPT),
    # Eastern Europe
    ("mailru-unknown", "hard", "olga@mail.ru", "mxs.mail.ru", "550 Message was not accepted -- invalid mailbox.  Local mailbox olga@mail.ru is unavailable: user not found", "5.0.0", END),
    ("mailru-disabled", "soft", "ivan@bk.ru", "mxs.mail.ru", "550 Message was not accepted -- invalid mailbox.  Local mailbox ivan@bk.ru is unavailable: account is disabled", "5.0.0", END),
    ("mailru-spam", "blocked", "petr@inbox.ru", "mxs.mail.ru", "550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=gIh or  report details to abuse@corp.mail.ru. Error code: 8F88", "5.0.0", END),
    ("yandex-no-user", "hard", "dasha@yandex.ru", "mx.yandex.ru", "550 5.7.1 No such user!  1770022805-PYc0bL4Hq8c0", "5.7.1", RCPT),
    ("yandex-policy", "blocked", "gleb@ya.ru", "mx.yandex.ru", "550 5.7.1 Policy rejection on the target address 1770022805-0Ec", "5.7.1", RCPT),
    ("seznam-nosuch", "hard", "jana@seznam.cz", "mx1.seznam.cz", "550 5.1.1 Sorry, no mailbox here by that name (sm-mxd-12).", "5.1.1", RCPT),
    ("seznam-spam", "blocked", "milos@email.cz", "mx2.seznam.cz", "554 5.7.1 Message rejected, it looks like spam. See https://napoveda.seznam.cz/en/email/undelivered", "5.7.1", END),
    ("wp-unknown", "hard", "ola@wp.pl", "mx.wp.pl", "550 5.1.1 Nie ma takiego konta. No such user (ola@wp.pl)", "5.1.1", RCPT),
    ("onet-full", "full", "ewa@onet.pl", "mx.poczta.onet.pl", "552 5.2.2 Skrzynka odbiorcy jest przepelniona", "5.2.2", RCPT),
    # China, Japan
    ("qq-unavailable-or-denied", "soft", "10086999@qq.com", "mx3.qq.com",
     "550 Mailbox unavailable or access denied [MFBI4Mo8o2Wjk3 IP: 198.51.100.7]. https://open.work.weixin.qq.com/help2/pc/20022.", "5.0.0", RCPT),
    ("qq-frequency", "blocked", "555123@qq.com", "mx3.qq.com", "550 Mail is rejected by recipients [MF8zXa IP: 198.51.100.7]. https://service.mail.qq.com/detail/0/92.", "5.0.0", END),
    ("netease-no-user", "hard", "wang_li@163.com", "163mx01.mxmail.netease.com", "550 User not found: wang_li@163.com", "5.0.0", RCPT),
    ("netease-dt-spm", "blocked", "zhao@126.com", "126mx00.mxmail.netease.com",
     "554 DT:SPM 126 mx33,RMmowECpQ0B1,1770022805 please see http://mail.163.com/help/help_spam_16.htm?ip=198.51.100.7", "5.0.0", END),
    ("netease-fail-auth", "blocked", "liu@yeah.net", "yeahmx01.mxmail.netease.com", "553 Requested action NOT allowed: authentication is required, RP:AUT", "5.0.0", MAIL),
    ("docomo-unknown", "hard", "hana@docomo.ne.jp", "mfsmax.docomo.ne.jp", "550 Unknown user hana@docomo.ne.jp", "5.0.0", RCPT),
    ("au-unknown", "hard", "ken@ezweb.ne.jp", "mx.ezweb.ne.jp", "550 <ken@ezweb.ne.jp>: User unknown", "5.0.0", END),
]  # fmt: skip


def cases() -> list[Case]:
    return [
        Case(host.split(".", 1)[-1], name, postfix(recipient, host, answer, status, command), {recipient: label})
        for name, label, recipient, host, answer, status, command in ANSWERS
    ]
