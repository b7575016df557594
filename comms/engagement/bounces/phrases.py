"""What servers say, in the words they say it: phrases and the kind of failure they stand for. Data only.

A phrase is a piece of a regular expression over text in small letters, in which runs of space are one space and every
address is a lone `@`. The kinds are tried in the order of `PHRASES`: what is said of the sender, its network and its
message comes before what is said of the recipient, because servers mention the recipient in passing.
"""

from __future__ import annotations

import re

from comms.engagement.bounces.models import Kind

_BLOCK_FIRST = r"groups\.google\.com/support"
"""Google Groups says in one breath that a group may not exist and that it may not take mail from everybody."""
_NO_HOST_FIRST = r"account or domain may not exist, they may be blacklisted"
"""cPanel's sentence for a name that it can not resolve."""
_FILTERED_FIRST = r"(?:^|\d{3}:? ?|-> \d{3} )(?:<> ?)?: user unknown"
"""KDDI's servers leave the name out when the reader's filter refuses."""
_CLOSED = r"recipient address rejected: access denied"
"""Exchange Online says so where its directory lacks the address, Postfix and gateways for a rule of theirs."""
_CHOSEN = (
    r"recipient preferences|(?:refused|rejected|blocked|declined) by (?:the )?recipient(?!\w| \w*(?:domain|server|host"
    r"|system|mx))|recipient (?:has blocked|has rejected|refuses|declines|does not want|did not want)|user rules"
    r"|(?:blocked|rejected) by (?:the )?user's|only accept(?:s|ed|ing)? (?:(?:e-?mail|mail|messages?) )?from"
)
"""The reader's own choice: who refuses is there, whatever the code says."""
_LOOPS = r"loops? back to (?:myself|itself)|too many hops|hop count exceeded|mail(?:er)? loop|routing loop"
"""Goes round in circles: says nothing of the mailbox, whatever the code says."""
_NO_USER_FIRST = (
    r"(?:^|\d{3}:? ?|-> \d{3} )<?@>?: user unknown\b|not (?:listed|found) in (?:the )?(?:domino|public name|directory"
    r"|address book|name & address)"
    r"|domino ディレクトリ|address (?:could(?:n't| not)|wasn't|was not) (?:be )?found|address not found"
    r"|recip(?:ient)?notfound|recipient name is not recogni[sz]ed|unrecogni[sz]ed o/?r[ -]name"
)
"""Said by the server that keeps the directory, and by no filter: needs no code beside it."""
_BLOCK = (
    # The sender's address or domain.
    r"sender (?:address |domain )?(?:rejected|verify failed|denied|blocked|not allowed|is not|unknown|must|has been)"
    r"|sender (?:address )?verif(?:y|ication) failed|verification failed for @|callback verification"
    r"|(?:invalid|unroutable|unresolvable|unverifi?able|unknown|bad) sender|sender domain (?:is|does|not|must)"
    r"|domain of sender|could not (?:verify|resolve) (?:the )?sender|mail from @? ?(?:.{0,60} )?(?:rejected|refused"
    r"|not)"
    r"|return address|your (?:e-?mail )?(?:address|domain) (?:is|has|was) (?:blocked|blacklisted|not allowed|refused)"
    r"|from: domain is invalid|valid from:|envelope sender|mail from domain|sending domain|sender is not|sender's"
    r"|senders? (?:is |are )?not (?:allowed|authori[sz]ed|permitted)|not (?:allowed|authori[sz]ed|permitted) to send"
    r"|unauthenticated (?:e-?mail|senders)|sender denied|access denied \(sender|from address (?:is )?(?:not|invalid"
    r"|rej)"
    r"|does not accept mail from|will not accept (?:mail|messages) from|don't accept mail from|refuse[sd]? mail from"
    r"|mail from .{0,80} (?:does not exist|not exist)|resolver\.rst\.(?:authrequired|notauthorized)|authrequired"
    r"|permission to (?:send|post)|not have permission|zugriff verweigert|nicht berechtigt|restricted (?:to|list)"
    # Names and addresses of its machines.
    r"|(?:reverse|r|inverse) ?dns|\bptr\b|reverse (?:lookup|address|mapping|host)|ip name lookup"
    r"|unverifyable sending ip"
    r"|cannot (?:find|resolve) your|unable to (?:resolve|verify) (?:your|hostname|client)|helo (?:command )?rejected"
    r"|(?:invalid|bad|forged) helo|helo/ehlo|(?:bad|invalid) (?:host ?name|rdns)|client host (?:rejected|\[)"
    r"|host rejected"
    r"|may not be mail exchanger|dynamic (?:ip|address|pool)|dial-?up|residential|use (?:the |your )?(?:smtp|isp"
    r"|provider)"
    r"|cannot find your hostname"
    # Blocklists and reputation.
    r"|black ?-?list|block ?-?list|\brbl\b|dnsbl|dnsrbl|spamhaus|spamcop|sorbs|barracuda(?:central)?"
    r"|abuseat|mail-abuse|senderbase|sender ?score|reputation|proofpoint|cloudmark|uceprotect|mailspike|invaluement"
    r"|blocked (?:by|using|for|due|ip|because|until)|(?:has been|is|was|are) (?:temporarily |permanently )?block(?:ed"
    r"|ing)"
    r"|\bbanned\b|denylist|grey ?-?list|gray ?-?list|\bposts?creen\b|too many (?:bad|invalid|unknown|errors|spam)"
    r"|poor |bad (?:ip|neighbo)|ip (?:address )?(?:has been |is |was )?(?:blocked|rejected|refused|listed|denied)"
    r"|connections? (?:from .{0,60} )?(?:not accepted|refused from|rejected|denied by)|not accepting connections"
    r"|connections? not accepted|server access .{0,80}forbidden|service refused|refused by (?:policy|rule)"
    r"|unsolicited|bulk mail|mass mail|abus(?:e|ive|ing)|complaints?\b|connection (?:rejected|denied)|our block list"
    # Authentication.
    r"|\bspf\b|dkim|dmarc|sender ?id|unauthenticated|not authenticated|authenticat(?:e|ion)|domainkeys|arc validation"
    # Limits.
    r"|too many (?:connection|message|recipient|mail|email|concurrent|session)|rate ?-?limit|limit(?:ed)? exceeded"
    r"|frequency limited|too (?:fast|frequent|much mail)|throttl|(?:sending|daily|relay|hourly|message) (?:quota"
    r"|limit)"
    r"|sent to too many|exceeded the (?:max|rate|limit|number)|try to reduce|unusual rate|receiving mail at a rate"
    r"|maximum (?:number of )?(?:connections|recipients)|slow down|excessive"
    # Relaying.
    r"|relay(?:ing)? (?:access )?(?:not|denied|prohibited|is|operation|attempt)|not? relay|unable to relay|relaying"
    r"|(?:isn't in|not in|in) my(?: list of allowed)? ?(?:rcpthosts|relay)|not permitted to relay|we do not relay"
    r"|open relay|not (?:a )?(?:local|gateway)(?: mail)? (?:host|domain)|not a gateway|user not local"
    r"|(?<!rejected: )access (?:is )?denied\b"
)
_SPAM = (
    r"\bspam(?!ming trap)|spammy|junk(?: mail)?|virus|malware|infected|phish|\bube\b|\bubl\b|\buce\b|trojan|worm\b"
    r"|content (?:filter|reject|violat|block|polic|not|is not|presents|was|denied)|message content|contents? (?:has"
    r"|have)"
    r"|because its content|(?:message|mail) (?:was |is |has been )?(?:identified|classified|detected|considered"
    r"|scored)"
    r"|polic(?:y|ies)|prohibited|suspicious|filtered by|dangerous|(?:banned|illegal|executable|blocked) (?:file"
    r"|attachment|content)|attachments? (?:type|not|blocked|rejected)"
    r"|header error|not rfc|rfc ?5322|rfc ?2?822 compl|non-?compliant|(?:bad|missing|invalid|duplicate) header|bayes"
    r"|looks like|score|listed in (?:the )?surbl|surbl|\buribl\b|\burl\b.{0,30} (?:black|block|listed)|bare (?:lf"
    r"|line)"
    r"|message (?:was )?rejected due|mail rejete\b|contenu|unerw[uü]nscht|não solicitad|спам|垃圾邮件|反垃圾|垃圾"
    r"|迷惑メール"
    r"|ウイルス|virenverdacht|considered (?:as )?(?:unsolicited|bulk)|heuristic|security (?:polic|reason|violation"
    r"|risk)"
)
_FULL = (
    r"mail ?box(?:'s)?(?: of .{0,40})? (?:is |has |size |was |currently |over |quota |storage )*(?:full|exceeded|over"
    r"|too large"
    r"|reached|limit)|(?:inbox|mailfolder|mail folder|maildir|mail ?drop|mailbox|account|user|recipient|disk|storage"
    r"|message"
    r"|box|quota|space)\S{0,3}(?: @)?(?: is| has| was| have| would be| size| storage| currently| the| mail| disk"
    r"| user)*"
    r" (?:full\b|over ?-?(?:its |their |the |disk )?quota|over the|overquota|exceeded|out of (?:storage|space|quota"
    r"|disk)|exceeds)"
    r"|over ?-?quota|quota (?:is )?(?:exceeded|full|violat|has been|reached|would|error|for)|exceed(?:ed|s"
    r"|ing)?(?: \w+){0,4} quota"
    r"|(?:not enough|insufficient|no|out of|lack of|low|more)(?: \w+)? (?:storage|disk ?space|space|quota|room)\b"
    r"|full mailbox|mailbox-full|shutoffquota|quota_?exceed|mailbox ?full|exceeded storage|storage (?:allocation"
    r"|limit|quota)"
    r"|is full\b|was full\b|too much (?:mail|data) (?:stored|in)|maximum (?:allowed )?(?:mailbox|storage|inbox)"
    r"|no space left"
    r"|disk full|maxmessages|too many messages (?:in|on)|account is full|box full|cannot store"
    r"|size limit of the mailbox"
    r"|bo[iî]te (?:aux lettres |de r[eé]ception |mail |du destinataire )?(?:est )?(?:pleine|satur)|quota (?:d[eé]pass"
    r"|atteint)"
    r"|d[eé]passement de quota|postfach(?: ist)? (?:voll|[uü]berf)|mailbox (?:ist )?(?:voll|[uü]ber)"
    r"|postfach .{0,40}voll"
    r"|speicher(?:platz|kontingent)|buz[oó]n(?: .{0,40})? (?:lleno|excedid)|cuota (?:excedida|superada|de)"
    r"|casella (?:.{0,30})?piena"
    r"|spazio (?:disponibile )?(?:insufficiente|esaurito)|quota superata|caixa (?:.{0,40} )?(?:cheia|lotada)"
    r"|cota excedida"
    r"|postbus (?:is )?vol|mailbox (?:is )?vol\b|(?:skrzynka|skrzynki) .{0,30}(?:pełna|przepełn)|przepełnion"
    r"|brevl[aå]da(?:n)? .{0,30}full"
    r"|переполнен|почтовый ящик .{0,30}полон|превышен\w* .{0,20}(?:квот|размер ящик)|邮箱已满|邮箱空间|郵箱已滿"
    r"|容量不足|已满|信箱已滿"
    r"|メールボックス.{0,20}(?:一杯|いっぱい|満杯|容量|超)|容量.{0,12}(?:超|オーバー|一杯)|용량.{0,10}초과"
    r"|메일함이 가득"
)
_SIZE = (
    r"(?:message|mail|e-?mail|letter|size|header|headers|body|attachment|line)s? (?:\w+ ){0,4}(?:too (?:big|large"
    r"|long)|exceeds"
    r"|exceeded|over the|larger than|oversize)|too (?:big|large) (?:for|to)|(?:message|mail) size|size limit"
    r"|max(?:imum)? (?:message|mail)"
    r"|message length|recipsizelimit|line limit|exceeds (?:the )?(?:max|size|limit)|message too|sizelimit|too large"
    r"|taille (?:du message|maximale)|nachricht (?:ist )?zu gro(?:ß|ss)|demasiado grande|troppo grande|слишком больш"
    r"|8-?bit data|8bitmime|smtputf8|not support (?:8|smtputf8)|conversion|サイズ"
)
_DISABLED = (
    r"(?:disabled|suspended|deactivated|frozen|locked|terminated|inactive|expired|archiv[eé]e|blocked) (?:mailbox"
    r"|account|user|recipient|(?:e-?mail )?address)"
    r"|(?:mailbox|account|user|recipient|address|domain|inbox)(?: @| that you tried to reach| you tried to reach"
    r"| has been| is| was| or domain is"
    r"| currently| temporarily| permanently| been| status is| for .{0,30})* (?:disabled|suspended|deactivated"
    r"|de-activated|frozen|locked|terminated"
    r"|inactive|discontinued|expired|on hold|not active|cancel+ed|closed|dormant)"
    r"|extended inactivity|unused for|not been (?:used|active|accessed)|temporar(?:y|il[yi]) (?:inactive|disabled"
    r"|unavailable|locked)|no longer (?:accepts?|active)"
    r"|invalid/inactive|suspend the service|unavailable or access denied|disabled (?:recipient|or discontinued)"
    r"|user is terminated"
    r"|account (?:is )?(?:locked|closed)|mailbox is (?:not active|inactive)|not accepting (?:any )?(?:mail|message)s?"
    r"|compte (?:\w+ )?(?:d[eé]sactiv|suspend|bloqu)|deaktiviert|gesperrt|cuenta (?:\w+ )?(?:desactivad|suspendid"
    r"|bloquead|inactiv|deshabilitad)"
    r"|conta (?:\w+ )?(?:desativad|suspens|bloquead|inativ)|disattivat|zablokowan|заблокирован|отключ[её]н|неактив"
    r"|账号已停用|冻结|禁用|停止使用|利用停止"
)
_MOVED = (
    r"(?:has|have) moved|address (?:has )?changed|user has moved|recipient has moved|new address is|moved to"
    r"|has been replaced by"
    r"|no longer (?:on|at|in|with|valid|here|a member|employed|works|an? )"
    r"|(?:please )?try (?:forwarding to )?<?@>? instead|left the (?:company|organi)"
    r"|n'est plus (?:valide|en service|utilis)|nicht mehr (?:g[uü]ltig|aktiv|erreichbar|vorhanden)"
)
_NO_MAIL = (
    r"null mx|does(?:n't| not) (?:accept|receive) (?:e-?)?mail\b|host does not accept mail|accepts? no mail"
    r"|no mail service"
    r"|does not accept (?:any )?(?:e-?mail|messages)\b(?! from)|domain does not accept"
    r"|smtp protocol returned a permanent error"
    r"|no mail (?:is )?accepted|mail hosting (?:is )?disabled|nullmx|null mx record"
)
_NO_HOST_PLAIN = (
    r"\b(?:domain|host)(?: name)?(?: or domain name)?(?: \S{1,60})? (?:does(?: not|n't) exist|not found|unknown)"
    r"|(?:unknown|no such) (?:host|domain)\b|nxdomain"
    r"|couldn't be found or is misspelled"
    r"|domaine (?:\S+ )?(?:inconnu|inexistant|n'existe|introuvable)|dom(?:ain|[aä]ne) .{0,40}(?:nicht (?:gefunden"
    r"|bekannt|vorhanden)|existiert nicht|unbekannt)|dominio (?:\S+ )?(?:inexistente|desconocid|sconosciut|no existe"
    r"|non esiste|no (?:se )?(?:ha )?(?:sido )?encontr|non (?:[eè] stato )?trovat)|dom[ií]nio (?:\S+ )?(?:inexistente"
    r"|n[aã]o (?:existe|foi encontrad))|домен .{0,40}не (?:найден|существ)|域名.{0,20}不存在"
    r"|ドメイン.{0,30}(?:見つかり|存在し)"
)
_WHO = (
    r"(?:user|account|recipient|mailbox|address|alias|addressee|destination|customer|subscriber|person|local part"
    r"|inbox|e-?mail)s?"
    r"(?: @| name| address| account| id| part| you tried to reach| that you tried to reach| you specified| specified"
    r"| you entered| you (?:sent|are)[\w ]{0,24}"
    r"| is| was| are| were| has| could| can| does| did| do| doesn't| this| provided| in| here| the| at \S{1,60}|:|,"
    r"|\(s\)|;|-)*"
)
_NO_USER = (
    rf"{_WHO}"
    r" (?:unknown|not known|not found|not be found|not exist|n't exist|not listed|not valid|invalid|not recogni[sz]ed"
    r"|no such|not present|non-?existent"
    r"|not a (?:known|valid|local|registered)|not our|not defined|not on this|not local"
    r"|not available here|doesn't exist|don't exist)"
    r"|\b(?:unknown|invalid|no such|nonexistent|non-existent|non-existing|bad|illegal|undefined|incorrect"
    r"|unregistered|wrong|no valid|not a valid|not a known"
    r"|unrouteable|unroutable|undeliverable|unrecogni[sz]ed|unkown|unknow)(?: or \w+)?(?: user| local| e-?mail"
    r"| mail| recipient| destination| delivery| smtp| domino| @| virtual| active| account| or)*"
    r" (?:user|account|recipient|mail ?box|address|alias|addressee|customer|subscriber|person|local[- ]part"
    r"|rcpt)(?:s|es)?\b"
    r"|user_?unknown|no_?such_?user|unknown_?user|usernotfound|recip(?:ient)?notfound|resolver\.adr\.(?:recip"
    r"|exrecip)\w*|adr\.recip\w*|badaddress"
    r"|no (?:mail)?box (?:here )?(?:by|with|for|available)|no mailbox|mailbox unavailable|not (?:our|a) (?:customer"
    r"|user|member)|no one by that name"
    r"|not (?:a )?(?:known|valid|listed|registered)(?: \w+)? (?:user|recipient|address|account|mailbox|in)"
    r"|not listed in|not found in (?:the )?(?:directory|database|domino)"
    r"|does(?:n't| not) have (?:an?|any) (?:\S+ ){0,3}account"
    r"|no user|is not a \w* ?user|there is no (?:such )?(?:user|account|one|mailbox|recipient|person)"
    r"|unknown (?:user|recipient|mailbox|address|alias|local)"
    r"|cannot find (?:this |the )?(?:user|recipient|mailbox)"
    r"|recipient address rejected: (?:undeliverable|unknown|invalid|user (?:unknown|not|does))"
    r"|rcpt (?:to )?(?:address )?(?:unknown|invalid)"
    r"|vdeliver: invalid|bad destination|mailbox not found|unknown destination address|userid unknown"
    # French, German, Spanish, Italian, Portuguese.
    r"|utilisateur (?:est )?(?:inconnu|inexistant)|(?:adresse|destinataire|compte|bo[iî]te"
    r"|utilisateur)(?: \S+){0,4} (?:inconnue?|invalide|inexistante?|introuvable|n'existe)"
    r"|destinataire (?:invalide|inconnu)"
    r"|(?:empf[aä]nger|benutzer|adresse|postfach|konto|mailadresse|e-mail-adresse)\w*(?: \S+){0,4} (?:unbekannt"
    r"|nicht (?:gefunden|bekannt|vorhanden|g[uü]ltig)|existiert|ung[uü]ltig)|unbekannter? (?:empf"
    r"|benutzer|nutzer|user)|nicht im adressbuch"
    r"|(?:usuario|destinatario|direcci[oó]n|buz[oó]n|cuenta)(?: \S+){0,4} (?:desconocid[oa]|inexistente"
    r"|inv[aá]lid[oa]|no (?:existe|encontrad|v[aá]lid))|usuario desconocido"
    r"|(?:utente|destinatario|indirizzo|casella)(?: \S+){0,4} (?:sconosciut[oa]|inesistente|non (?:esiste|valido"
    r"|trovat))|nessun utente"
    r"|(?:usu[aá]rio|destinat[aá]rio|endere[cç]o|conta|caixa)(?: \S+){0,4} (?:desconhecid[oa]|inexistente"
    r"|inv[aá]lid[oa]|n[aã]o (?:existe|encontrad|foi encontrad|cadastrad))"
    # Dutch, Polish, Nordic.
    r"|(?:gebruiker|adres|ontvanger|postbus)(?: \S+){0,4} (?:onbekend|bestaat niet|niet gevonden)"
    r"|onbekende (?:gebruiker|ontvanger)"
    r"|nie ma takiego|nieznany (?:u[zż]ytkownik|odbiorca|adresat)|brak (?:takiego )?u[zż]ytkownika"
    r"|ok[aä]nd (?:anv|mott|adress)|ukendt (?:bruger|modtager)"
    # Russian, Japanese, Chinese, Korean.
    r"|(?:пользовател|получател|адрес|ящик)\w*(?: \S+){0,4} (?:не (?:существует|найден|зарегистр)|неизвест)"
    r"|(?:неизвестн\w*|нет такого|несуществующ\w*) (?:пользовател|получател|адрес|почтов|ящик)"
    r"|(?:ユーザ|アドレス|宛先|受信者).{0,12}(?:存在し(?:ません|ない)|見つかりません|いません|不明)|あて先.{0,10}(?:不明|間違)"
    r"|(?:用户|用戶|使用者|收件人|帐号|账号|邮箱|信箱|地址).{0,8}(?:不存在|未找到)|无此用户|查無此|无效(?:的)?(?:用户|收件人|地址)"
    r"|(?:사용자|수신자|계정|주소).{0,10}(?:존재하지|찾을 수 없)|없는 (?:사용자|계정|주소)"
)
"""Names the mailbox and says that there is none."""
_MISSING = (
    rf"{_WHO} (?:not in|illegal|incorrect|wrong|undeliverable)"
    r"|\bno(?: valid| local| e-?mail| mail)* (?:account|recipient|mail ?box|address|person)(?:s|es)?\b"
    r"|\b(?:unknown|invalid|no such|bad|illegal|incorrect|wrong|no) (?:user |recipient |mailbox )?(?:name|id|to)s?\b"
    r"|does(?:n't| not) exist(?! e2)|do(?:es)? ?n[o']t know|(?<!recipient )address(?:es)? (?:rejected|were unknown)"
    r"|chkusr|lookup failed|can't (?:create|open) user|cannot be delivered to this address"
    r"|missing home directory|no (?:registered )?gateway user|registered gateway user"
    r"|could(?:n't| not) be found|couldn't find|could not find|not able to find|wasn't found|unable to find"
    r"|destination address rejected"
    r"|n'existe (?:pas|plus)|existiert nicht|konnte nicht gefunden|no existe|no se (?:ha )?(?:encontr|puede encontrar)"
    r"|non esiste|n[aã]o existe|n[aã]o (?:foi )?encontrad|bestaat niet|niet gevonden"
    r"|nie (?:istnieje|znaleziono)|neexistuje|nezn[aá]m[yý]|nebyl nalezen|finns inte|findes ikke|finnes ikke|ukjent"
    r"|ei (?:ole|l[oö]ydy)|tuntematon|bulunamad[ıi]|ge[cç]ersiz|nem (?:l[eé]tez|tal[aá]lhat)|ismeretlen"
    r"|не существует|не найден|неизвестн|нет такого|не зарегистр|несуществующ|недействител|не існує|не знайдено"
    r"|見つかりません|存在しません|存在しない|該当.{0,10}(?:ません|なし)|アドレス.{0,12}(?:誤り|正しく|無効|間違)"
    r"|不存在|收件人.{0,10}(?:无效|错误|未知)|不正確|没有找到|存在하지|존재하지|찾을 수 없|알 수 없는"
)
"""Something is missing, unknown or wrong, but the words do not say what: the mailbox, if the code says so."""
_NO_HOST = (
    r"(?:host|domain|server|dns|mx|name)(?:s)?(?: or domain)?(?: names?| @| \S{1,60}| record| lookup)?(?: is| was"
    r"| does| could| can|:)* (?:unknown|not found|not exist|n't exist|invalid|not be found|non-?existent|not known"
    r"|not resolve|not be resolved|could not)"
    r"|(?:unknown|no such|invalid|bad|unrouteable|unroutable|unresolvable|illegal|nonexistent"
    r"|non-existent) (?:mail )?(?:host|domain|destination host|mail ?server|hostname)"
    r"|host unknown|nxdomain|no (?:valid )?(?:mx|mail server|mail exchanger|route to (?:host )?domain|dns (?:entry"
    r"|record|a-data)|a record|smtp service found)|couldn't find any host"
    r"|domain (?:name )?(?:must|does not|doesn't|not) (?:exist|resolve|found)|unrouteable (?:mail )?domain"
    r"|unable to (?:resolve|look ?up|find)|cannot resolve"
    r"|name or service not known|no address associated|name service error .{0,80}not found|has no mail exchanger"
    r"|domain .{0,60}couldn't be found|neither mx|domain not found|account or domain may not exist"
)
_NO_HOST_OWN = (
    r"couldn't find (?:any host|a mail exchanger)|no mx record|name service error .{0,80}not found|host unknown"
    r"|unroutea?ble (?:mail )?(?:domain|address)|no such (?:host|domain)|invalid domain"
    r"|domain name .{0,60}not (?:appear to be )?registered"
)
_DOUBT = (
    r"spam|polic(?:y|ies)|\bblock|reputation|(?<!may be )(?:black|white|allow|deny|safe) ?-?list"
    r"|(?<!not )\blisted (?:in|on|by)\b"
    r"|\bspf\b|dkim|dmarc|authori[sz]|authenticat|permission|permitted|allowed\b|den(?:y|ied|ies)\b|forbidden"
    r"|prohibit|restrict|\bfilter|\bcontent\b(?!-)|\brates?\b|threshold|too (?:many|large|big|often|fast|much)|quota"
    r"|\bfull\b|temporar|\blater\b|\bbusy\b|overload|maintenance|migrat|your (?:ip|server|host|domain|network)\b"
    r"|suspend|disabled|deactivat|inactiv|quarantin|virus|malware|suspicious|security|trust|complain|abus(?:e|ive)"
    r"|unsolicited|\bbulk\b|newsletter|marketing|certificate|\btls\b|encrypt|unverif|verification|challenge|\bptr\b|\bhelo\b"
    # The same in the languages that servers speak most.
    r"|richtlini|gesperrt|vor[uü]bergehend|sp[aä]ter|politique|bloqu|temporaire|pol[ií]tica|temporal|blocc|temporane"
    r"|политик|заблокир|временно|策略|拒绝|拒否"
)
"""Words of policy, of the message, of what passes. Anywhere near "no such user" they make it doubtful:
who refuses for such a reason often words it as an unknown user."""
_FILTERED = (
    r"message filtered|filtered|refused due to recipient|only accept(?:s|ing) (?:mail|messages)|is not accepting"
    r"|rejected by (?:the )?user|restricted|protected by|unwilling|recipient error|recipient (?:did not|has not)"
)
_NETWORK = (
    r"timed? ?-?out|timeout|connection (?:was )?(?:refused|lost|reset|closed|dropped|failed|broken)|lost connection"
    r"|could not connect|unable to connect|can(?:'t|not) connect|no route to host"
    r"|network (?:is )?unreachable|host (?:is )?(?:unreachable|down)|unreachable|retry time|expired|too long|too old"
    r"|too many hops|hop count|mail ?loop|loop(?:s|ing| detected| count)?\b|routing"
    r"|wasn't able to establish|did not (?:accept our requests|respond)|no response|not responding|socket error"
    r"|connect(?:ion)? (?:to|attempt)|failing for a long time|name service error|dns (?:error|query|failure|server"
    r"|temp)|temporary lookup|server failure|servfail"
    r"|delivery time|gave up|giving up|queue for|in the queue|hours?|days?|zeit(?:limit|[uü]berschreitung)|verbindung"
    r"|connexion|conexi[oó]n|connessione|接続|соединен|超时"
)
_SYSTEM = (
    r"system (?:error|problem|config|resources|failure|not)|internal (?:server|system|software)? ?error"
    r"|local (?:error|problem|configuration)|command (?:failed|error|rejected|time|not)|mailer error|pipe"
    r"|exit (?:status|code)|unexpected"
    r"|(?:service|server) (?:is )?(?:not available|unavailable|temporarily|busy|too busy|error)"
    r"|resources? (?:temporarily )?unavailable|try (?:again )?later|temporar(?:y|ily)|not available|out of memory"
    r"|i/o error|no such file|permission denied|starttls|\btls\b|ssl|improper sequence|bad sequence|syntax error"
    r"|unimplemented|storedrv|mapi"
)
SURE = re.compile(f"{_NO_USER_FIRST}|unrouteable address")
"""Said by who keeps the directory: no filter's words."""
EXPLICIT = re.compile(f"{_NO_USER_FIRST}|{_NO_USER}")
"""Says of the mailbox itself that there is none."""
NO_SUCH_DOMAIN = re.compile(f"{_NO_HOST_FIRST}|{_NO_HOST_PLAIN}|{_NO_HOST_OWN}")
"""Says of a domain that it does not exist, or of a host that name service knows none: what who sends finds out."""
NULL_MX = re.compile(r"null ?mx|\bhost does not accept mail\b(?! from)")
"""The domain itself says that it takes no mail (RFC 7505), in the words of Postfix, Exim and Sendmail."""
DOUBT = re.compile(_DOUBT)
CERTAIN = re.compile(f"{_CLOSED}|{_CHOSEN}|{_LOOPS}")

PHRASES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (Kind.BLOCK, _BLOCK_FIRST),
        (Kind.NO_HOST, _NO_HOST_FIRST),
        (Kind.FILTERED, f"{_FILTERED_FIRST}|{_CLOSED}|{_CHOSEN}"),
        (Kind.NETWORK, _LOOPS),
        (Kind.NO_USER, _NO_USER_FIRST),
        (Kind.BLOCK, _BLOCK),
        (Kind.SPAM, _SPAM),
        (Kind.FULL, _FULL),
        (Kind.SIZE, _SIZE),
        (Kind.DISABLED, _DISABLED),
        (Kind.MOVED, _MOVED),
        (Kind.NO_MAIL, _NO_MAIL),
        (Kind.NO_HOST, _NO_HOST_PLAIN),
        (Kind.NO_USER, _NO_USER),
        (Kind.NO_USER, _MISSING),
        (Kind.NO_HOST, _NO_HOST),
        (Kind.FILTERED, _FILTERED),
        (Kind.NETWORK, _NETWORK),
        (Kind.SYSTEM, _SYSTEM),
    )
)
