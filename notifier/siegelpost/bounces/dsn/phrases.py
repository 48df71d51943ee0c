"""What refusing systems write, by reason class: regular expressions without unbounded repeats.

Written from the public documentation of the large providers and of mail servers.
Order matters: the first class with a matching phrase wins, so classes whose words are telling
come before those whose words also occur beside others ("user unknown" is said of full boxes).
"""

from siegelpost.bounces.dsn.model import Reason

_R = Reason
ORDER: tuple[Reason, ...] = (
    _R.MAILBOX_FULL, _R.TOO_LARGE, _R.AUTH, _R.SPAM, _R.DISABLED, _R.CONTENT, _R.HOST_UNKNOWN,
    _R.POLICY, _R.UNKNOWN_USER, _R.EXPIRED, _R.NETWORK, _R.PROTOCOL, _R.SYSTEM,
)  # fmt: skip

#: Said before anything else: words about the sender that elsewhere are about the recipient.
EARLY_POLICY: tuple[str, ...] = (
    r"sender (?:address |domain |id )?(?:\S+ ){0,3}(?:rejected|denied|blocked|refused|not allowed"
    r"|unknown|invalid|does not exist|not found|unresolvable)",
    r"(?:cannot|can't|could not|unable to) (?:\S+ ){0,2}(?:sender|your) (?:\S+ ){0,2}"
    r"(?:domain|host)",
    r"(?:unusual|excessive) rate of|rate (?:that|limit)|temporarily rate limited",
    r"(?:does not have|no|missing|without) (?:\S+ ){0,2}PTR\b",
    r"only accepts? (?:mails?|messages|e-?mails?) from",
)
#: Names that can't be looked up now, where the same words otherwise say that they don't exist.
EARLY_NETWORK: tuple[str, ...] = (r"host not found, try again",)

PHRASES: dict[Reason, tuple[str, ...]] = {
    _R.MAILBOX_FULL: (
        r"(?:over|exceed\w*|out of|above|disk|user|mail\w*|storage) (?:\S+ ){0,4}quota",
        r"over ?quota", r"quota (?:\S+ ){0,4}(?:exceed|violat|full|usage|reached|überschritten)",
        r"(?:mail ?box|inbox|mail ?folder|account|maildrop|mail ?drop|address|user) (?:\S+ ){0,4}"
        r"(?:is |ist |are |has |too )?(?:currently |temporarily )?(?:full\b|voll\b)",
        r"full (?:mail ?box|inbox)", r"mailbox(?:_|-)?full",
        r"post(?:fach|eingang)\w* (?:\S+ ){0,4}voll",
        r"storage (?:limit|quota|allocation)", r"recipient storage full",
        r"exceed\w* (?:\S+ ){0,3}(?:its |the |their |his )?(?:mailbox |storage |disk )(?:size"
        r"|space)",
        r"mailbox (?:size |storage )(?:limit )?(?:\S+ ){0,2}exceed", r"mailbox (?:has )?exceed\w*",
        r"out of (?:storage|disk) space", r"(?:not|doesn't have) enough (?:storage |disk )?space"
        r" (?:\S+ ){0,3}(?:mailbox|user|account|recipient)",
        r"does not have enough space", r"too many messages (?:on|in) (?:the|this)",
        r"mailbox would exceed", r"user's space has been used up", r"bo[iî]te (?:\S+ ){0,5}pleine",
        r"buz[oó]n (?:\S+ ){0,4}lleno",
        r"caixa (?:\S+ ){0,4}cheia",
        r"casella (?:\S+ ){0,4}piena",
        r"skrzynk\w+ (?:\S+ ){0,4}(?:pełn|przepełnion)",
        r"posta kutusu (?:\S+ ){0,4}dolu|kotas\w+ (?:\S+ ){0,3}(?:dolu|aş)",
        r"ящик (?:\S+ ){0,3}(?:переполнен|заполнен)|скринька (?:\S+ ){0,3}переповнена",
        r"(?:postbus|mailbox|brievenbus) (?:\S+ ){0,3}vol\b",
        r"メールボックス.{0,12}(?:いっぱい|容量)",
        r"邮箱.{0,10}(?:已满|空间不足)|(?:quota|kontingent) (?:\S+ ){0,3}(?:erschöpft|erreicht)",
        r"(?:ue|ü)berf(?:ue|ü)llt|(?:postfach|mailbox)\w* (?:\S+ ){0,4}(?:maximale?|größe)",
        r"speicherplatz (?:\S+ ){0,4}(?:erschöpft|voll)",
        r"insufficient (?:quota|mailbox)",
        r"mailbox is at (?:its )?capacity",
        r"no space left in mailbox",
        r"QuotaExceeded", r"inbox is (?:out of|full)", r"user has too many messages",
        r"storage used exceeds",
        r"speichervolumen (?:\S+ ){0,3}(?:ue|ü)berschritten|exhausted (?:\S+ ){0,2}storage",
        r"can't create (?:user )?output file",
    ),
    _R.TOO_LARGE: (
        r"message (?:size )?(?:(?!queue)\S+ ){0,4}(?:is )?(?:too (?:large|big|long)|larger than)",
        r"(?:message|mail|size|length) (?:\S+ ){0,3}exceeds? (?:\S+ ){0,5}"
        r"(?:size|limit|maximum|databytes|length|fixed)",
        r"exceed(?:s|ed|ing)? (?:\S+ ){0,4}(?:maximum|max\.?|fixed|incoming|server's) (?:\S+ ){0,3}"
        r"(?:message |mail |file )?size",
        r"size limit(?: \S+){0,3} exceed", r"message file too big", r"databytes limit",
        r"RecipSizeLimit|SendSizeLimit|MaxMessageSize", r"message size limit",
        r"exceeded the maximum (?:size|message)", r"(?:nachricht|mail) (?:\S+ ){0,3}zu gro(?:ß|ss)",
        r"(?:nachricht|mail|größe) (?:\S+ ){0,3}(?:über|ueber)(?:schreitet|steigt) (?:\S+ ){0,4}"
        r"(?:größe|groesse|grenze|limit)",
        r"attachment(?:s)? too (?:large|big)", r"largest? than the (?:maximum|limit)",
        r"maximum (?:message|mail|file) size",
    ),
    _R.AUTH: (
        r"\bDMARC\b", r"\bDKIM\b", r"\bSPF\b", r"sender policy framework",
        r"authentication (?:is )?(?:required|failed|needed|checks?)", r"not authenticated",
        r"(?:requires?|must) (?:\S+ ){0,3}(?:authenticat|STARTTLS)", r"AuthRequired",
        r"unauthenticated (?:email|mail|sender|message)",
        r"(?:requires?|not offer|offer) (?:\S+ ){0,2}"
        r"(?:STARTTLS|TLS|encryption)", r"TLS (?:is )?(?:required|not available|handshake)",
        r"TLS (?:\S+ ){0,2}(?:negotiation|connect) (?:\S+ )?fail",
        r"cannot start TLS",
        r"smtp auth\w* required",
        r"login (?:failed|required)",
        r"server certificate (?:not|untrusted|expired)", r"certificate verif",
        r"5\.7\.(?:2[0-46]|29|515|57)\b", r"security (?:requirements|policy) .{0,40}TLS",
        r"pop (?:before|check) smtp", r"authenticat(?:e|ion) (?:first|credentials)",
    ),
    _R.SPAM: (
        r"\bspam(?![a-z]*(?:haus|cop|rats|eatingmonkey))(?!\.(?:org|net|com))\w{0,4}\b",
        r"anti-?spam(?! server)", r"spam(?:assassin|profiler)", r"unsolicited",
        r"\bU[BC]E\b", r"bulk (?:e-?)?mail", r"junk(?: e?-?mail)?\b", r"phish",
        r"content (?:was |is |filter )?(?:rejected|rejection)", r"message content rejected",
        r"(?:blocked|rejected|filtered) (?:\S+ ){0,4}content filter", r"message filtered",
        r"CONTENT filter", r"URIBL|SURBL", r"blacklisted URL", r"werbe-?mail",
        r"looks like (?:spam|an? advert)", r"classified as bulk", r"recurrent pattern",
        r"block for spam",
        r"cloudmark|cyren\b|MCSpam|spamschutz|spamverdacht",
        r"mail content denied",
        r"bad (?:score|reputation of content)",
        r"detected as (?:bulk|junk)",
    ),
    _R.DISABLED: (
        r"(?:mail ?box|account|user|address|recipient|mail ?drop|postfach|konto|domain) "
        r"(?:\S+ ){0,6}(?:disabled|deactivated|suspended|inactive|not active|locked|frozen"
        r"|discontinued|deaktiviert|gesperrt|terminated|blocked|restricted|closed)\b(?!"
        r" (?:using|by))",
        r"(?:disabled|suspended|deactivated|inactive|locked|discontinued|closed|dormant) "
        r"(?:\S+ ){0,2}(?:mail ?box|account|user|recipient|domain)",
        r"account (?:is |has been )?(?:closed|expired|unavailable|blocked)",
        r"not accepting (?:any )?(?:messages|mail|e-?mails?)(?! from)",
        r"administrative?le?y disabled",
        r"no longer (?:accepts?|receives?|active|in use)",
        r"mailbox (?:is )?(?:unavailable or access"
        r" denied|not accepting)", r"temporarily inactive", r"nicht mehr (?:aktiv|verwendet)",
        r"recipient suspend",
        r"user (?:has been )?(?:suspended|disabled)",
        r"has been (?:disabled|closed)",
        r"(?:inactive|disabled) user", r"extended inactivity",
    ),
    _R.CONTENT: (
        r"\bvirus",
        r"\bmalware\b",
        r"infected",
        r"worm\b",
        r"trojan",
        r"(?:illegal|banned|forbidden"
        r"|blocked|prohibited|unacceptable|dangerous|executable|disallowed) (?:\S+ ){0,2}"
        r"(?:attachment|file|content|extension)", r"attachment (?:\S+ ){0,5}(?:blocked|removed"
        r"|not (?:allowed|accepted|permitted)|rejected|denied|prohibited)",
        r"(?:unzulässig|verboten|gesperrt|blockiert)\w* (?:\S+ ){0,2}"
        r"(?:anhang|anhänge|anlage|datei)",
        r"(?:anhang|anhänge|anlage\w?|dateityp\w*) (?:\S+ ){0,4}(?:nicht (?:erlaubt|zulässig"
        r"|zugelassen)|blockiert|verboten|abgelehnt|entfernt)",
        r"security (?:issue|reasons?)",
        r"potential security", r"header (?:syntax|error|missing|is not|are not accepted|invalid)",
        r"(?:missing|invalid|malformed|duplicate|multiple|bad|no) (?:\S+ ){0,2}"
        r"(?:header|from:? header|message-id|'?from'?:? (?:header|field))",
        r"bare (?:<?LF>?|<?CR>?|line ?feed|carriage)", r"8-?bit (?:data|characters|mime)",
        r"conversion (?:\S+ ){0,3}(?:failed|prohibited|required)",
        r"MIME (?:error|structure|format)",
        r"too many (?:mime|attachments)",
        r"RFC ?(?:5322|2822|822)(?: \S+){0,3} (?:compliant|violat)",
        r"not RFC.{0,12}compliant", r"too many \"?received\"? headers.{0,20}content",
        r"content (?:error|format|not supported|restriction|policy)",
        r"message (?:was )?blocked because"
        r" its content", r"inappropriate", r"media not supported", r"data format error",
    ),
    _R.HOST_UNKNOWN: (
        r"host (?:or domain (?:name )?)?(?:not found|unknown|lookup failed|does not exist)(?!,?"
        r" try)",
        r"(?:unknown|bad|no such|invalid|illegal|non-?existent) (?:destination |remote |mail )?"
        r"(?:host|domain|server|system)\b",
        r"\bNXDOMAIN\b",
        r"unrout[e]?able (?:mail )?(?:address|domain)",
        r"domain (?:\S+ ){0,3}(?:not found|does ?n[o']t exist|is not (?:valid|known|registered)"
        r"|unknown|is unknown|couldn't be found|could not be found|existiert nicht)",
        r"no (?:valid )?(?:mx|mail exchanger|a|mx or a|dns) (?:records?|entry|found|information)",
        r"(?:couldn't|could not|can(?:'t|not)|unable to) (?:find|resolve|locate|look ?up)"
        r" (?:\S+ ){0,3}"
        r"(?:any )?(?:host|domain|mail exchanger|mx|server|gateway|route|dns)",
        r"null ?mx", r"does not accept mail", r"name (?:service|server) error.{0,80}host not found"
        r"(?!,? try)", r"domain name not found", r"NonExistentDomain", r"DomainNotFound",
        r"all host address lookups failed permanently", r"all relevant MX records point to",
        r"an MX or SRV record indicated no SMTP",
        r"DNS (?:type \S+ )?(?:lookup of \S+ )?responded with"
        r" code (?:NXDOMAIN|NOERROR)", r"(?:DNS )?Error: (?:\d+ )?(?:Domain name|DNS type).{0,60}"
        r"(?:not found|NXDOMAIN)", r"address not found in dns", r"domäne .{0,40}nicht gefunden",
        r"no route to (?:domain|address)", r"mail for \S+ unknown", r"no such domain",
        r"not a valid (?:domain|host)", r"the domain .{0,60} doesn't exist",
    ),
    _R.POLICY: (
        r"relay(?:ing)? (?:\S+ ){0,4}(?:denied|not (?:permitted|allowed)|prohibited|disallowed"
        r"|rejected|forbidden)",
        r"unable to relay",
        r"(?:not|no|cannot|don't|doesn't|won't|refuse to)"
        r" (?:\S+ ){0,2}relay",
        r"(?:not|isn't) in my (?:list of allowed )?rcpthosts",
        r"relaying mail to",
        r"(?:block|black|deny|black-?hole)[ -]?list", r"\bDNSB?L\b", r"\bRBL\b", r"spamhaus|spamcop"
        r"|sorbs|barracudacentral|senderscore|abuseat|uceprotect|spameatingmonkey|spamrats|dnswl",
        r"(?:blocked|rejected|denied|listed) (?:using|by|at|in|due to|for) (?:\S+ ){0,3}(?:zen"
        r"|bl|sbl|xbl"
        r"|pbl|dul|list|policy|reputation|reasons?)",
        r"reputation",
        r"reverse dns|\brDNS\b|\bPTR\b",
        r"client host rejected", r"(?:client|sender|connecting) (?:host|ip) (?:\S+ ){0,3}"
        r"(?:blocked|rejected|denied|not permitted)",
        r"(?:your|the|this) (?:\S+ ){0,2}(?:ip|host|server|mail"
        r" server|domain|network)(?: address)? (?:\S+ ){0,6}(?:blocked|banned|rejected|refused"
        r"|blacklisted|denied|not allowed)",
        r"IP(?: address)? (?:\S+ ){0,4}(?:is |was |has been )?blocked",
        r"sender (?:address |domain |id )?(?:\S+ ){0,3}(?:rejected|denied|blocked|refused|not"
        r" allowed"
        r"|verif|unknown|invalid|does not exist|not found)", r"sender was rejected",
        r"(?:mail|message|email)s? from (?:\S+ ){1,5}(?:rejected|refused|blocked|denied|not"
        r" (?:accepted"
        r"|allowed|permitted))",
        r"gr[ea]y ?-?list",
        r"rate ?-?limit|throttl|too many (?:connections|messages"
        r"|emails|mails|sessions|recipients|concurrent|errors)|(?:excessive|unusual) rate"
        r"|exceeded (?:\S+ ){0,4}(?:rate|limit|number of|connections|emails|messages)",
        r"receiving mail (?:at a rate|too quickly)",
        r"temporarily deferred",
        r"try(?:ing)? (?:again )?too"
        r" (?:often|fast)",
        r"deferred due to user complaints",
        r"(?:local|security|organi[sz]ation(?:al)?"
        r"|site|recipient|message|by|of|admin\w*|for|mail) polic(?:y|ies)",
        r"policy (?:violation|rejection|reasons?|restrict|filter|block)", r"prohibited",
        r"not (?:authori[sz]ed|allowed|permitted) to (?:send|post|submit|relay|use|connect"
        r"|deliver)",
        r"(?:don't|do not|not) have permission", r"NotAuthorized|RestrictedTo|PermissionDenied"
        r"|RST\.RestrictedToRecipientsPermission", r"(?:non|not)[ -]?(?:a )?(?:member|subscrib)",
        r"closed (?:mailing )?list",
        r"access(?: is)? denied(?!.{0,40}\[\S{0,30}(?:prod|outlook)|\. AS\(2014)",
        r"administrative prohibition", r"go away", r"complaints?", r"dynamic (?:ip|address|host)",
        r"not (?:currently )?accept(?:ing)? (?:mail|messages|connections) from",
        r"part of their network is on"
        r" our block",
        r"try sending (?:\S+ ){0,3}smart ?host",
        r"moderat(?:ed|or)",
        r"rejected by (?:the )?"
        r"(?:recipient|rule|header|user|sieve|filter)",
        r"ratenbegrenzung|abgelehnt aus",
        r"\bhelo\b.{0,30}"
        r"(?:reject|denied|invalid|blocked)",
        r"poor(?:ly)? reput",
        r"blocked by (?:earthlink|the recipient"
        r"|user|mailbox)", r"suppression list|suppressed", r"\bban(?:ned)?\b", r"(?:my|our) block",
        r"mail (?:rejete|rejected|refused)", r"transaction failed: (?:\S+ ){0,4}polic",
    ),
    _R.UNKNOWN_USER: (
        r"(?:user|recipient|receiver|mail ?box|address|account|person|login|alias|maildrop|name|"
        r"mail-?id|"
        r"empf[äa]e?nger\w*|benutzer\w*|adresse|postfach|addressee|inbox|destinat\w+|local["
        r" -]?part)"
        r" (?:\S+ ){0,6}?(?:unknown|not (?:be )?(?:found|known|exist|listed|recogni[sz]ed|local"
        r"|present|valid"
        r"|registered|resolvable|here|on file|available here)|does ?n[o']t exist|doesnt exist"
        r"|do not exist"
        r"|invalid|not? longer (?:exists?|valid|available)|isn't (?:valid|known)|rejected"
        r"|unavail|nonexist\w*"
        r"|non-?existent|unbekannt|nicht gefunden|existiert nicht|nicht (?:bekannt|vorhanden"
        r"|erreichbar)|inconnu|desconhecid"
        r"|desconocid|sconosciut|onbekend|refused|has moved|moved|misspelled|wasn't found"
        r"|couldn't be found"
        r"|konnte nicht gefunden)",
        r"(?:unknown|no such|invalid|bad|non-?existent|no mailbox|undefined|wrong"
        r"|unbekannte[rn]?|not a"
        r"|keine?|no|unrecogni[sz]ed|illegal|undeliverable|inexist\w+) (?:\S+ ){0,3}?(?:user"
        r"|recipient|mail ?box|address(?:ee|es)?"
        r"|account|person|login|alias|local[ -]?part|addressee|destination|empf[äa]nger|benutzer"
        r"|adresse|postfach|name)\b",
        # "@" stands for an address, see `reasons.from_words`.
        r"@[>)\"']*[:.]* (?:\S+ ){0,3}?(?:not found|unknown|unbekannt|does ?n[o']t exist|not exist"
        r"|invalid|not (?:a )?(?:known|valid|recogni[sz]ed|listed|local))",
        r"\buser ?unknown\b|unknown ?user|userunknown|nosuchuser|unknown or illegal",
        r"RCPT \(<?@>?\) error|addresses failed|some recipients failed",
        r"nicht im (?:\S+ ){0,2}\S{0,30}verzeichnis", r"收件人.{0,40}不存在|用户不存在|地址不存在",
        r"(?:alıcı|kullanıcı|adres) (?:\S+ ){0,3}(?:bulunamadı|bilinmiyor|geçersiz)",
        r"(?:użytkownik|adres\w*|skrzynk\w*) (?:\S+ ){0,3}(?:nieznany|nie istnieje)",
        r"err\.nouser|RecipNotFound|RecipientNotFound|RESOLVER\.ADR\.\w{0,10}Recip",
        r"doesn't have an? \S+ account",
        r"is not (?:a )?(?:known|valid|listed|recogni[sz]ed|an active|our|local|registered)",
        r"not (?:listed )?in (?:the |our |this )?(?:public|domino|name|directory|address)",
        r"mailbox (?:is )?unavailable",
        r"mailbox not available", r"no (?:such )?(?:mailbox|user|person|recipient|account|one)"
        r" (?:\S+ ){0,4}(?:here|that name|at this)",
        r"(?:does not|doesn't|didn't) (?:like|want|accept)"
        r" (?:the )?recipient",
        r"(?:delivery|address) (?:\S+ ){0,3}(?:failed|not found).{0,30}address couldn't",
        r"address (?:rejected|not found|couldn't be found|invalid|unknown)",
        r"user not found|not our customer",
        r"no mail ?box|no account",
        r"bad destination mailbox|badr?cptto|badrecipientto|validrcptto",
        r"envelope recipient (?:\S+ ){0,4}denied",
        r"account that you tried to reach does not exist",
        r"adress(?:e|at)\w* (?:\S+ ){0,4}(?:falsch|ungültig|unbekannt)",
        r"addressee unknown", r"destinat[aá]rio", r"utilisateur inconnu|destinataire inconnu",
        r"no existe|non esiste|nessun utente", r"пользовател\w+ .{0,30}не (?:найден|существует)"
        r"|не существует|неизвестн", r"宛先不明|存在しません", r"5\.1\.(?:1|10)\b",
        r"not accepting mail with attachments for unknown",
        r"no valid recipients",
        r"recipient (?:was )?not",
        r"access denied.{0,60}AS\(2014|Recipient address rejected: Access denied",
        r"no longer (?:here|with"
        r" (?:us|the company)|employed|works)", r"ambiguous", r"has moved to|hat eine neue",
        r"is no longer (?:valid|available|with)", r"(?:gibt es|existiert) (?:\S+ ){0,3}nicht",
        r"(?:utente|usu[aá]rio|utilisateur|gebruiker) (?:\S+ ){0,3}(?:sconosciut"
        r"|desconocid|desconhecid"
        r"|inconnu|onbekend|inesistente)",
        r"kein (?:solches )?(?:postfach|konto)",
        r"can't accept user",
        r"user is unknown|nonexistent",
    ),
    _R.EXPIRED: (
        r"(?:message|delivery|delivery time|mail|queue|retry|time) (?:\S+ ){0,3}(?:expired"
        r"|timed? ?out exceeded)",
        r"retry (?:time ?out|time) (?:exceeded|not reached|expired)",
        r"in (?:the )?queue too long|queue too long",
        r"(?:couldn't|could not|not|cannot) be delivered (?:\S+ ){0,4}(?:for|within|after|in)"
        r" (?:\S+ ){0,2}"
        r"\d+ ?(?:hours?|days?|attempts)", r"QUEUE\.Expired", r"retry timeout|delivery retry",
        r"too old\b",
        r"sitting in queue",
        r"allowed queue period",
        r"undeliver\w+ (?:\S+ ){0,3}for (?:\S+ )?"
        r"\d+ (?:hours|days)",
        r"failed (?:\d+|after \d+|after several|too many) (?:\S+ )?(?:attempts|tries|retries)",
        # Not what qmail says in every report: "a permanent error; I've given up", "Giving up on".
        r"(?:giving|gave) up(?! on )|(?<!error; i've )(?<!error; ive )given up",
        r"long failure period|have been failing for a long time",
        r"maximum (?:\S+ ){0,2}(?:retries|attempts|retry|queue)", r"not been collected after",
        r"zeitüberschreitung bei der zustellung|abgelaufen",
        r"(?:innerhalb von|nach) \d+ (?:tagen|stunden|versuchen)",
        r"zustellversuche? (?:\S+ ){0,3}(?:eingestellt|aufgegeben|abgebrochen)",
        r"(?:number of|all) (?:delivery )?attempts",
        r"message (?:time|retry) ?out",
        r"attempted for .{0,20}(?:days|hours)",
        r"unable to deliver.{0,30}in the"
        r" specified time|within \d+ (?:days|hours)",
    ),
    _R.NETWORK: (
        r"connect(?:ion|ing)?(?: to \S+)? (?:\S+ ){0,4}(?:timed? ?out|refused|reset|closed|lost"
        r"|dropped|failed"
        r"|broken|terminated|failure|aborted|died)", r"lost connection|connection (?:lost|failure)",
        r"time(?:d)?[ -]?out",
        r"no (?:route to host|answer|response|connection)",
        r"(?:host|network|server|mx|mta"
        r"|gateway) (?:\S+ ){0,4}(?:unreachable|not (?:reachable|responding|available)|is down"
        r"|did(?: not|n't) respond|not respond)",
        r"(?:dns|name (?:server|service)|mx) (?:(?!said)\S+ ){0,5}"
        r"(?:error|failure|lookup fail|failed|temporar|try again)",
        r"host (?:(?!said)\S+ ){0,3}(?:failure|lookup fail|failed|try again)",
        r"(?:couldn't|could not|can(?:'t|not)"
        r"|unable to|wasn't able to|failed to) (?:\S+ ){0,3}(?:connect|contact|establish|reach"
        r"|open)",
        r"(?:mail|routing|forward\w*|delivery) loop|loops? back|loop (?:detected|count)|too"
        r" many hops|hop count"
        r"|MxLoopback|listed as a best-preference",
        r"network (?:error|is unreachable|problem|failure)",
        r"broken pipe|i/o error|socket",
        r"maximum hop",
        r"bad connection",
        r"smtp connection failed",
        r"server (?:is )?not responding|hat nicht (?:ge)?antwortet",
        r"verbindung (?:\S+ ){0,4}(?:fehl|unterbr"
        r"|nicht|abgel)",
        r"nicht erreichbar|keine verbindung|zeitüberschreitung",
        r"remote (?:host|server) (?:\S+ ){0,3}(?:not|un)\w*reach",
        r"greeting failed",
        r"requests to connect", r"no hosts? (?:\S+ ){0,3}available", r"too many \"?received\"?",
    ),
    _R.PROTOCOL: (
        r"(?:command|syntax|protocol|argument|parameter) (?:\S+ ){0,3}(?:error|unrecogni[sz]ed"
        r"|not (?:implemented"
        r"|recogni[sz]ed|understood|permitted)|violation|unknown|rejected|out of sequence)",
        r"(?:bad|unrecogni[sz]ed|invalid|unknown|unimplemented|unexpected) (?:\S+"
        r" ){0,2}(?:command|sequence|argument"
        r"|parameter|syntax|response)",
        r"out of sequence",
        r"must issue|need (?:mail|rcpt|helo)",
        r"SMTPUTF8"
        r"|internationali[sz]ed", r"malformed address|angle-brackets|expected word",
        r"pipelin", r"too many (?:bad|unknown) commands",
    ),
    _R.SYSTEM: (
        r"(?:insufficient|not enough|out of) (?:system |disk |server )?(?:storage|space|memory"
        r"|resources)",
        r"system (?:error|full|problem|resources|not accepting|busy|config|failure|storage)",
        r"(?:internal|local|server|configuration|config|software|temporary|unexpected|lookup"
        r"|database|ldap"
        r"|general|mailer|processing) (?:\S+ ){0,2}(?:error|failure|problem)",
        r"disk full|no space left",
        r"service (?:\S+ ){0,2}(?:unavailable|not available|shutting)",
        r"(?:permission|access) (?:to \S+ )?denied"
        r".{0,30}(?:file|director)", r"can(?:'t|not) (?:create|open|write|append|lock|exec|read)",
        r"unable to (?:create|open|write|append|lock|run|deliver to)",
        r"command (?:died|failed|timed)",
        r"exit(?:ed)? (?:status|code|value|with)|unknown mailer error|mailer died|died with",
        r"local delivery"
        r" failed",
        r"temporar(?:y|ily) (?:\S+ ){0,2}(?:fail|unavail|error|problem|rejected|refused)",
        r"maintenance|overload|too busy|server busy|load too high|congest",
        r"forbidden|input/output error",
        r"pipe to \|", r"storedrv|mapi", r"home ?dir", r"misconfigur", r"try (?:again )?later",
    ),
}  # fmt: skip
