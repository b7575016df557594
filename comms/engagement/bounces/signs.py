"""By which signs a message is known as a bounce, a warning, an automatic answer or a challenge."""

from __future__ import annotations

import re

from comms.engagement.bounces.addresses import found_in, is_machine
from comms.engagement.bounces.codes import reply_in, statuses_in
from comms.engagement.bounces.report import Report

_FAILURE_SUBJECT = re.compile(
    r"(?i)undeliver|non-?deliver|error sending|not (?:be )?deliver|deliver(?:y|ed)?.{0,40}(?:fail|problem|error|delay"
    r"|report|status|unsuccess|notif|subsystem)"
    r"|fail(?:ed|ure)\b.{0,30}(?:deliver|mail|message|notice|send)|failure notice|(?:returned|rejected"
    r"|bounced?) (?:e-?)?mail|mail (?:could not|returned|rejected)"
    r"|mail.{0,20}(?:fail|error|problem|not sent)|(?:message|mail|e-?mail).{0,20}(?:undeliver|bounce|refused|return"
    r"|status)|return(?:ed)? to sender|user unknown|unknown user|warning: (?:message|could|mail)|\bNDN\b|\bNDR\b"
    r"|delayed mail|still being retried|permanent fail|unzustellbar|nicht zugestellt|zustellung|unerreichbar"
    r"|fehlgeschlagen|r[üu]ckl[äa]ufer|non remis|non distribu|[ée]chec|erreur de (?:distrib|remise|livraison)"
    r"|avis de non|impossible de (?:remettre|distribuer)"
    r"|no (?:se )?(?:pudo |puede |ha podido )?entreg|no entregad|error de entrega|fallo en la entrega|devuelto"
    r"|notificaci[óo]n de (?:estado|entrega)|n[ãa]o (?:foi )?entreg|falha na entrega|devolvid|devolu|mancata consegna"
    r"|non recapit|consegna|onbestelbaar|niet (?:af)?gelever|bezorg"
    r"|niedor[ęe]cz|nie dostarczon|zwrot|nedoru[čc]|kunde inte levereras|olevererbar|ikke leveres|kunne ikke"
    r"|teslim edilemedi|iletilemedi|k[ée]zbes[íi]t"
    r"|недостав|не доставлен|не может быть доставлен|ошибка доставки|возврат|配信不能|配信エラー|配信できません"
    r"|エラー通知|メールエラー|届けられ"
    r"|送信できません|退信|退回|投递失败|无法投递|無法傳遞|未送达|寄信失敗|반송|배달(?:되지|할 수)|전달 실패"
)
_DAEMON_NAME = re.compile(
    r"(?i)mail (?:delivery|router|administrator)|delivery (?:sub)?system|postmaster|mailer-daemon|delivery (?:status"
    r"|notif)|mail system|system administrator"
)
_FAILURE_TEXT = re.compile(
    r"(?i)(?:not|n't|un(?:able|likely)|fail(?:ed|ure)|impossible|problem|trouble|error|return(?:ed|ing)|reject(?:ed)?"
    r"|undeliverable|permanent).{0,80}(?:deliver|sent to|send|recipient|reach|mail)"
    r"|(?:deliver|recipient|messages?|mail)\w*.{0,80}(?:not|n't|fail|error|reject|undeliverable|unsuccessful|problem"
    r"|bounced|refused|delay)"
    r"|user unknown|unknown user|no such user|mailbox (?:is )?full|quota|(?<![\d.])[45]\.\d{1,2}\.\d{1,3}(?![\d.])"
    r"|nicht zugestellt|zugestellt|konnte nicht|n'a pas pu|n'ont pas pu|non remis|no (?:se )?pudo|no ha podido"
    r"|n[ãa]o (?:foi|p[ôo]de)|non [èe] (?:stato|possibile)|niet (?:worden )?(?:af)?(?:geleverd|bezorgd)"
    r"|nie (?:mo[żz]|zosta[łl])|не (?:может|удалось|был|доставлен)|配信|届け|宛先|無法|无法|退信|退回|전송|配達"
    r"|送信できません"
)
_DELAY = re.compile(
    r"(?i)(?:has|have) (?:been delayed|not yet been)|delivery.{0,30}(?:is|has been|was) delayed|delayed mail"
    r"|delivery (?:temporarily )?suspended|still being retried|will (?:be retried|keep trying|continue|try again"
    r"|retry)|warning message only|not yet been delivered"
    r"|\(delay\)|message.{0,30}delayed|status notification \(delay|will be retried|could not be delivered (?:for"
    r"|within) the last|still undelivered|continue to (?:try|be)|is still trying|has not yet"
    r"|warning: (?:could not send|message)|verz[öo]ger|retard[ée]|отложен|задерж|遅延|延迟"
)
_FINAL = re.compile(
    r"(?i)permanent|giv(?:en|ing) up|will not (?:be )?re|no further|failed permanently|undeliverable"
    r"|could not be delivered to (?:one or more|all)|i've given up|has failed|returned"
)
_AWAY_SUBJECT = re.compile(
    r"(?i)out[ -]of[ -](?:the[ -])?office|auto(?:matic)?[ -]?(?:reply|response|respond|answer|email)"
    r"|automated (?:reply|response)|^\s*auto(?:reply)?\s*:|vacation|on (?:holiday|leave|annual|maternity|parental)"
    r"|away from|currently (?:away|out)|i am (?:away|out)|\booo\b|thank you for (?:your (?:e-?mail|message|contact)"
    r"|contacting)"
    r"|we (?:have )?received your|abwesen|automatische antwort|urlaub|nicht im b[üu]ro|eingangsbest"
    r"|r[ée]ponse automatique|absence|absent|en cong[ée]|fuera de (?:la )?oficina|respuesta autom|ausen|vacaciones"
    r"|fuori (?:sede|ufficio)|risposta automatica|assenza|assente|ferie|fora do escrit|resposta autom|f[ée]rias"
    r"|ausência"
    r"|afwezig|automatisch antwoord|niet aanwezig|vakantie|nieobecno|autoodpowied|automatyczna odpowied|urlop"
    r"|frånvar|autosvar|automatiskt? svar|ej på plats|fravær|poissa|automaattinen|nepřítomnost|automatick|távollét"
    r"|automatikus|otomatik yan|ofis dışında|автоответ|отпуск|отсутств|вне офиса|不在|自動返信|自動応答|休暇"
    r"|自动回复|自動回覆|外出|休假|부재중"
    r"|자동 ?(?:응답|회신)|автоматичн|відпустк|автоматичен|αυτ[όο]ματη|απουσί|εκτός γραφείου|răspuns automat|concediu"
    r"|תשובה אוטומטית|מחוץ למשרד|رد تلقائي|خارج المكتب|trả lời tự động|balasan otomatis|automaatvastus|automātisk"
    r"|automatinis atsakymas|automatski odgovor|samodejni odgovor|odsotnos|odsutnos"
)
_AWAY_TEXT = re.compile(
    r"(?i)out of (?:the )?office|(?:am|are|be|is) (?:currently )?(?:away|on (?:vacation|holiday|leave|maternity)"
    r"|travell?ing)|limited access to (?:my )?e-?mail|(?:this is an|an) (?:automatic|automated"
    r"|auto)[ -]?(?:ally generated )?(?:reply|response|answer)|will (?:be back|return|reply|respond|answer)"
    r"|upon my return|bin (?:ich )?.{0,40}(?:nicht|abwesend)|nicht im b[üu]ro|je suis (?:actuellement )?(?:absent"
    r"|en cong)|estoy (?:de vacaciones|fuera|ausente)|sono (?:assente|fuori|in ferie)|estou (?:de f[ée]rias|ausente)"
    r"|ik ben .{0,30}(?:afwezig|niet)|jestem (?:na urlopie|nieobecn)|в отпуске|отсутств|不在|休暇|自動(?:返信|応答)"
    r"|休假|自动回复"
)
_CHALLENGE = re.compile(
    r"(?i)(?:confirm|verify|prove|authenticate|approve|authoriz).{0,60}(?:you(?:r (?:message|e-?mail|address|request"
    r"|identity))?|sender|human|delivery)\b|challenge|tmda|spam ?arrest|boxbe|qurb|mailblocks|bluebottle|whitelist"
    r"|white list|approved senders?|click.{0,40}(?:to (?:deliver|confirm|release)|link)|reply to this (?:message"
    r"|e-?mail).{0,60}(?:deliver|confirm)|vanquish|antispam uol|sendio|anti-?spam.{0,30}(?:confirm|verific)"
)
_CHALLENGE_SUBJECT = re.compile(
    r"(?i)(?:please |your? )?(?:confirm|verif)|challenge|verification (?:required|needed)|approval|boxbe|spam ?arrest"
    r"|\[?tmda|antispam|\bwaiting\b|sender (?:address )?(?:verif|confirm)"
)
_GUEST_LIST = re.compile(
    r"(?i)(?:add(?:ed)?|join)\b.{0,60}\b(?:allowed|approved|authori[sz]ed|white|safe|trusted|permitted|accepted)"
    r"[\s-]{0,3}(?:senders?[\s-]{0,3})?list|senders i have approved"
    r"|list of (?:my )?(?:allowed|approved|authori[sz]ed|permitted|trusted) senders|guest list so (?:that )?your mes"
    r"|pour que votre (?:message|e-?mail|mail) (?:\w+ )?soit (?:remis|transmis|d[ée]livr)|damit (?:ihre|deine)"
    r" (?:nachricht|e-?mail) zugestellt|para que (?:su|tu|sua) (?:mensaje|mensagem|correo) (?:sea|seja)"
)
"""What no person writes in an answer of his own: the sender has to get himself onto a list first."""
_ANSWERED = re.compile(
    r"(?i)\s*(?:re|aw|rif|res?|sv|antw|odp|ynt|vs|回复|答复|fwd?|wg|tr|rv|enc|i|vb|doorst|转发)\s?[:：]"
)
"""How mail programs begin the subject of what a person answers or forwards."""
_AUTOMATIC_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply")
_QUOTED = re.compile(r"(?m)^[ \t]{0,8}[>|].*$")
"""Lines that somebody quotes."""
_LOOK_AT = 6_000


def is_from_machine(report: Report) -> bool:
    """Do From or an empty Return-Path say that a mail server wrote it (RFC 5321 section 4.5.5)."""
    sender = report.headers.get("from")
    return (
        any(is_machine(address) for address in found_in(sender) or [f"{sender.strip()}@-"])
        or _DAEMON_NAME.search(sender) is not None
        or _has_no_sender(report)
    )


def _has_no_sender(report: Report) -> bool:
    return report.headers.get("return-path").replace(" ", "") == "<>"


def is_bounce(report: Report) -> bool:
    """Do enough signs say that it reports on a delivery. One alone is not enough: people quote and forward bounces."""
    if report.report_type == "delivery-status" or "x-failed-recipients" in report.headers or report.statuses:
        return True
    subject, machine = report.headers.get("subject"), is_from_machine(report)
    if not machine and (_ANSWERED.match(subject) or "list-id" in report.headers or not _shows_evidence(report)):
        return False
    signs = (
        machine,
        _FAILURE_SUBJECT.search(subject) is not None,
        _FAILURE_TEXT.search(report.notice[:_LOOK_AT]) is not None,
        _has_no_sender(report) and "message-id" in report.original,
    )
    return sum(signs) > 1


def _shows_evidence(report: Report) -> bool:
    """Holds it what only a mail server has at hand: the returned message, or the code of an answer it got itself."""
    text = _QUOTED.sub("", report.notice[:_LOOK_AT])
    refused = any(status.of_class != 2 for status in statuses_in(text))
    return bool(report.original.fields) or ("@" in text and (refused or reply_in(text) is not None))


def is_delay(report: Report) -> bool:
    """Is it a warning that delivery takes longer, rather than the end of trying."""
    text = f"{report.headers.get('subject')}\n{report.notice[:_LOOK_AT]}"
    return _DELAY.search(text) is not None and _FINAL.search(report.notice[:_LOOK_AT]) is None


def is_automatic_reply(report: Report) -> bool:
    """Did a machine answer for a person (RFC 3834 section 5, and the fields used before it)."""
    headers = report.headers
    submitted = headers.get("auto-submitted").lower()
    if is_away_subject(report) or submitted.startswith("auto-replied"):
        return True
    if headers.get("precedence").lower().replace("-", "_").startswith("auto_reply"):
        return True
    if any(name in headers for name in _AUTOMATIC_FIELDS):
        return True
    # These stand in notifications of every kind too.
    marked = submitted.startswith(("auto-generated", "auto-notified")) or "x-auto-response-suppress" in headers
    return marked and _replies(report)


def is_away_subject(report: Report) -> bool:
    """Does the subject say that somebody is away, or that this is an automatic answer."""
    return _AWAY_SUBJECT.search(report.headers.get("subject")) is not None


def says_away(report: Report) -> bool:
    """Does the text say that somebody is away."""
    return _AWAY_TEXT.search(report.notice[:_LOOK_AT]) is not None


def is_challenge(report: Report) -> bool:
    """Does it ask the sender to prove that he is a person."""
    text = " ".join(report.notice[:_LOOK_AT].split())
    if _GUEST_LIST.search(text):
        return True
    return _CHALLENGE_SUBJECT.search(report.headers.get("subject")) is not None and _CHALLENGE.search(text) is not None


def _replies(report: Report) -> bool:
    subject = report.headers.get("subject").lower()
    return "in-reply-to" in report.headers or _ANSWERED.match(subject) is not None or says_away(report)
