"""Signs that a message is a notice of a mail system, and of which kind.

Covers systems that write no RFC 3464 report: qmail, Exim, old Sendmail, Exchange, providers.
A single sign is never enough: people quote bounces, and vacation notes speak of delivery too.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from siegelpost.bounces.dsn.mime import Part
from siegelpost.bounces.dsn.returned import separator
from siegelpost.bounces.dsn.text import folded

MAX_NOTICE = 16_384

DAEMON = re.compile(
    r"mail(?:er)?[-_. ]?(?:daemon|deamon|delivery|system|server|administrator|admin|router|gateway)"
    r"|post-?master|daemon@|(?:system|mail)-?administrator|mail ?system|mailer@|^uucp@"
    r"|microsoft ?(?:exchange|outlook)|e500_smtp|double-bounce|bounce-(?:notice|handler)@"
    r"|delivery (?:subsystem|system|service|status)|zustellsystem|mta@|smtp(?:_|-)?mail"
    r"|barracuda|spam ?firewall|mail ?gateway|posta teslim|^ *<?mdaemon@|mmdf\b",
    re.IGNORECASE,
)
SUBJECT_FAILED = re.compile(
    r"undeliver|not (?:be )?deliver|non-?deliver|delivery (?:\S+ )?(?:fail|error|problem"
    r"|impossible)"
    r"|fail(?:ed|ure) (?:notice|to deliver|mail|delivery|message)|failure notice|returned"
    r" (?:mail|e-?mail"
    r"|message|to sender)|returning message|mail (?:\S+ )?(?:fail|error|could not|rejected)"
    r"|unzustellbar"
    r"|nicht zugestellt|nicht zustellbar|zustell\w* (?:\S+ )?(?:fehl|nicht)|fehlgeschlagen"
    r"|un-?zustell"
    r"|delivery (?:status )?(?:notification|report|status|has failed|abgebrochen)|delivery-?status"
    r"|\bbounced?\b|nondeliverable|unable to deliver|message (?:not|rejected|could not)|user"
    r" unknown"
    r"|(?:undelivered|rejected|blocked) (?:mail|message|e-?mail)|mail delivery|mail status report"
    r"|non remis|não entreg|no (?:se )?(?:ha )?(?:podido )?entreg|impossibile (?:recapit|conseg)"
    r"|mancato recapito|недоставл|не доставлен|配信|送信|mail system error|error sending|returned:"
    r"|you sent (?:\S+ )?blocked|teslim (?:edilemedi|başarısız|hatası)|iletilemedi|退信"
    r"|nie można dostarczyć|niedostarczon|nedoručiteln|nelze doručit|kézbesíthetetlen|olevererad"
    r"|nije isporučen|nu a putut fi livrat|не вдалося доставити|повідомлення не доставлено"
    r"|échec|retour|non distribu|unzugestellt|onbestelbaar|ikke (?:leveret|levert)"
    r"|kan inte levereras"
    r"|zurückgewiesen|לא ניתן ל|تعذر (?:ال)?تسليم|غير قابل للتسليم"
    r"|無法傳遞|无法传递|无法送达|未送达"
    r"|未傳遞|配信不能|배달되지|배달할 수 없|onbezorgbaar|kan ikke leveres|går inte att leverera"
    r"|toimittaminen epäonnistui|ei voi toimittaa|não é possível entregar|no se puede entregar"
    r"|impossible de remettre|recapito non riuscito|non recapitabil|nelivrabil|не удается доставить"
    r"|неможливо доставити|niedostarczaln|αδύνατη η παράδοση|teslim edilemiyor"
    r"|automatisch generierte fehler|error de entrega|notification d'échec|message status - unde",
    re.IGNORECASE,
)
SUBJECT_DELAYED = re.compile(
    r"delay|warning: (?:message|could not|mail)|deferred|not yet (?:been )?deliver|verzögert"
    r"|verspätet"
    r"|still (?:being|trying)|will be retried|retrying|temporar|postponed|warnung:|incomplete",
    re.IGNORECASE,
)
SUBJECT_DELIVERED = re.compile(
    r"(?:success\w*|delivered|relayed|expanded|zugestellt|übermittelt)\b(?!.*(?:fail|not ))"
    r"|return receipt|delivery (?:receipt|confirm)|confirmation of delivery|zustellbestätigung",
    re.IGNORECASE,
)
_TITLES = (SUBJECT_FAILED, SUBJECT_DELAYED, SUBJECT_DELIVERED)
_REPLY = re.compile(r"\s*(?:re|fwd?|aw|wg|antw|sv|vs|tr|rv)(?:\[\d+\])?\s*:", re.IGNORECASE)
_FAILED = re.compile(
    r"(?:could|can|was|were|is|has|have|did|do|does|been)(?: ?not|n['o’]t) (?:be |been"
    r" )?(?:successfully |yet )?"
    r"(?:deliver|sent|send|reach|receive|forward|process|relay|transmit|accept|complet)"
    r"|un(?:able|successful) (?:\S+ ){0,3}(?:deliver|relay|send|attempt)|undeliver(?:able|ed)"
    r"|not delivered"
    r"|(?:delivery|message|mail|e-?mail) (?:\S+ ){0,6}?(?:has |have |was |were )?(?:failed"
    r"|bounced|rejected"
    r"|returned|refused|aborted|blocked|undeliverable)|permanent (?:\S+ )?(?:error|failure)"
    r"|fatal error"
    r"|fail\w* (?:recipient|address|to (?:deliver|reach|send))|delivery (?:\S+ ){0,3}(?:failure"
    r"|problem|error)"
    r"|did(?: not|n't) reach|not reach the following|returned (?:mail|to (?:you|sender))"
    r"|delivery errors?"
    r"|nicht (?:\S+ ){0,4}?(?:zugestellt|ausgeliefert|zustell|erreich|gesendet|übermittelt"
    r"|weitergeleitet)"
    r"|unzustellbar|fehlgeschlagen|cannot be delivered|couldn't be (?:delivered|found)"
    r"|transcript of session"
    r"|unknown (?:user|host|recipient|address)|user unknown|no such (?:user|mailbox|address)"
    r"|mailbox (?:is )?full"
    r"|(?:user|recipient|address|mailbox|account) (?:\S+ ){0,4}(?:unknown|not found|does not"
    r" exist|disabled)"
    r"|failure reasons|diagnostic information|error (?:message|description)|rejected (?:by"
    r"|your)|over quota"
    r"|n'a pas pu|n'ont pas|no (?:se )?(?:ha )?pud?o|no ha podido|não (?:pôde|foi)|impossibile"
    r"|non è stato"
    r"|не (?:может|удалось|доставлен)|配信でき|送信でき"
    r"|(?:wurde|worden|wird) (?:\S+ ){0,3}(?:zurückgewiesen|abgelehnt)|nicht angenommen"
    r"|teslim edilemedi|iletilemedi|nie (?:można|udało się) (?:\S+ )?dostarczyć|被退回|无法送达"
    r"|не вдалося доставити|nelze doručit|nebylo možné doručit|has NOT BEEN DELIVERED"
    r"|niet (?:\S+ )?(?:afgeleverd|bezorgd)|delivery"
    r" to the following",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"(?:delivery|message|mail) (?:\S+ ){0,6}(?:been |is |was )?(?:delayed|postponed|deferred)"
    r"|warning message only"
    r"|not (?:yet )?been (?:delivered|able) (?:\S+ ){0,6}(?:yet|so far|will|still)|not yet"
    r" (?:been )?(?:\S+ )?deliver"
    r"|(?:will|to) (?:continue|keep) (?:\S+ ){0,3}(?:try|retry|attempt|deliver)|continue to be made"
    r"|(?:attempts?|retries) will (?:be |continue)|will (?:be retried|retry|try again|keep"
    r" trying|continue for)"
    r"|still (?:being|trying|attempting|in the queue|not delivered|undelivered)|do not need to"
    r" (?:resend|take any)"
    r"|no action is required|no need to (?:resend|re-?send)|verzögert|weitere (?:\S+"
    r" )?(?:zustell)?versuche"
    r"|advisory-only|just a warning|warning: (?:message|could not)|not been (?:\S+ )?delivered"
    r" (?:\S+ ){0,4}after (?:more"
    r"|\d+)|temporär|vorübergehend nicht|erneut versucht|wird weiterhin versucht|transient"
    r" (?:non-?fatal|problem)",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"permanent|giv(?:ing|en) up|gave up|fatal|no (?:further|more) (?:\S+ )?attempt|will not"
    r" (?:be retried|retry|try)"
    r"|not going to try|could not be delivered|undeliverable|has failed|endgültig|returned to",
    re.IGNORECASE,
)
_DELIVERED = re.compile(
    r"(?:success\w*|has been|was|were|erfolgreich) (?:\S+ ){0,3}(?:deliver|relayed|expanded"
    r"|zugestellt)"
    r"|delivered (?:\S+ )?success|successfully (?:\S+ ){0,3}(?:mailbox|delivered|deposited)"
    r"|deposited in"
    r"|received at host|delivery confirmation",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\w.:])(?:[45]\d\d[ -]|#?[45]\.\d\.\d{1,2}\b)")


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The words a system wrote of its own, and the signs in and around them."""

    #: Text before the returned message, all text parts joined, at most `MAX_NOTICE` characters.
    text: str
    #: The whole text, the returned message included if it is no part of its own.
    whole: str
    subject: str
    sender: str

    @cached_property
    def flat(self) -> str:
        """The text with its line breaks folded, for phrases that run over lines."""
        return folded(self.text)

    @property
    def from_daemon(self) -> bool:
        """Whether the From field names a mail system."""
        return self.sender.strip() == "<>" or bool(DAEMON.search(self.sender))

    @property
    def is_reply(self) -> bool:
        """Whether a person answers or forwards (Re:, AW:, Fwd:, WG:)."""
        return bool(_REPLY.match(self.subject))

    @property
    def speaks_of_failure(self) -> bool:
        """Whether the text says that something was not delivered."""
        return bool(_FAILED.search(self.flat))

    @property
    def speaks_of_delay(self) -> bool:
        """Whether attempts go on: the subject or the text says so, and neither says the end."""
        if SUBJECT_DELAYED.search(self.subject):
            return not _FINAL.search(self.subject)
        return bool(_DELAYED.search(self.flat)) and not (
            SUBJECT_FAILED.search(self.subject) and _FINAL.search(self.flat)
        )

    @property
    def titled_as_failure(self) -> bool:
        """Whether the subject is one under which mail systems return mail."""
        return bool(SUBJECT_FAILED.search(self.subject)) and not self.is_reply

    @property
    def is_titled(self) -> bool:
        """Whether the subject is one that mail systems use for any kind of notice."""
        return any(title.search(self.subject) for title in _TITLES)

    @property
    def names_a_code(self) -> bool:
        """Whether the text holds a failing SMTP reply or enhanced code."""
        return bool(_CODE.search(self.flat))

    @property
    def speaks_of_delivery(self) -> bool:
        """Whether the notice reports a success."""
        told = SUBJECT_DELIVERED.search(self.subject) or _DELIVERED.search(self.flat)
        failed = SUBJECT_FAILED.search(self.subject) and not SUBJECT_DELIVERED.search(self.subject)
        return bool(told) and not failed and not self.names_a_code

    def weight(self, message: Part) -> int:
        """How much speaks for a system's notice; 4 and more is taken for one.

        Words alone weigh nothing: somebody or something must look like a mail system.
        """
        path = message.raw("return-path").strip()
        system_text = "qmail" in self.text[:400] or "mail delivery software" in self.text[:400]
        returned = len(self.whole) > len(self.text) or any(p.is_message for p in message.walk()[1:])
        listed = message.has("list-unsubscribe") or message.has("list-id")
        if not (
            self.from_daemon
            or (path == "<>" and not listed)
            or message.has("x-failed-recipients")
            or message.parameters.get("report-type", "").lower() == "delivery-status"
            or system_text
            or (returned and not listed and self.names_a_code)
        ):
            return 0
        return (
            2 * self.from_daemon
            + (path == "<>")
            + 2 * self.is_titled
            + 3 * message.has("x-failed-recipients")
            + 2 * self.speaks_of_failure
            + self.names_a_code
            + returned
            + 2 * bool(message.parameters.get("report-type", "").lower() == "delivery-status")
            + 2 * system_text
            - 4 * self.is_reply
        )


def read_notice(message: Part) -> Notice:
    """Collect the words of a notice: plain text parts, HTML only where there is no plain text."""
    parts = [p for p in message.walk() if not p.parts and "disposition" not in p.content_type]
    plain = [p for p in parts if p.content_type in {"text/plain", "text"} and p.text.strip()]
    chosen = plain or [p for p in parts if p.content_type == "text/html"]
    if not chosen and parts:
        chosen = [p for p in parts if p.content_type.startswith(("text/", "multipart/"))
                  and "rfc822" not in p.content_type]  # fmt: skip
    whole = "\n".join(part.text for part in chosen[:6])
    own = whole[: separator(whole)]
    if len(own.strip()) < 20 and len(whole) > 20:
        own = whole
    return Notice(
        text=own[:MAX_NOTICE],
        whole=whole,
        subject=message.header("subject"),
        sender=message.header("from") or message.header("sender"),
    )
