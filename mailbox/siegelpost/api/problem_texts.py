"""The texts of all problems: status, title, German title, what to do, the same in German.

Longer than others: one table, so that the wordings are read together.
"""

from __future__ import annotations

from collections.abc import Mapping

_POST = "Nothing was delivered: send this notice by post."
_POST_DE = "Es wurde nichts zugestellt: Versenden Sie diesen Bescheid per Post."
_FIX = "Correct the call and send it again."
_FIX_DE = "Korrigieren Sie den Aufruf und senden Sie ihn erneut."
_PDF = "Save the document again as an ordinary PDF and send the call again."
_PDF_DE = "Speichern Sie das Dokument neu als gewöhnliches PDF und senden Sie den Aufruf erneut."

PROBLEMS: Mapping[str, tuple[int, str, str, str, str]] = {
    # the call itself
    "token-missing": (
        401,
        "No access token",
        "Kein Zugriffstoken",
        "Get an access token from /oauth/token and send it as a bearer token.",
        "Holen Sie ein Zugriffstoken bei /oauth/token und senden Sie es als Bearer-Token.",
    ),
    "token-invalid": (
        401,
        "Access token not valid",
        "Zugriffstoken ungültig",
        "The token is malformed, expired or not ours. Get a new one from /oauth/token.",
        "Das Token ist fehlerhaft, abgelaufen oder fremd. Holen Sie bei /oauth/token ein neues.",
    ),
    "scope-missing": (
        403,
        "Scope missing",
        "Berechtigung fehlt",
        "The token does not carry the scope that this call needs. Ask for it at /oauth/token, or "
        "have the operator grant it to the client.",
        "Dem Token fehlt die nötige Berechtigung. Fordern Sie sie bei /oauth/token an oder lassen "
        "Sie sie dem Client vom Betreiber erteilen.",
    ),
    "unknown-client": (
        403,
        "Client unknown or disabled",
        "Client unbekannt oder gesperrt",
        "The operator has not registered this client, or has disabled it. Ask the operator.",
        "Der Betreiber hat diesen Client nicht eingetragen oder gesperrt. Fragen Sie den "
        "Betreiber.",
    ),
    "not-found": (
        404,
        "Not found",
        "Nicht gefunden",
        "There is no such address, or nothing that this client may see.",
        "Diese Adresse gibt es nicht, oder dieser Client darf den Inhalt nicht sehen.",
    ),
    "method-not-allowed": (
        405,
        "Method not allowed",
        "Methode nicht erlaubt",
        "This address exists but does not take this method; see the Allow header.",
        "Diese Adresse gibt es, aber nicht mit dieser Methode; siehe Allow.",
    ),
    "request-timeout": (
        408,
        "Body did not arrive in time",
        "Anfrage kam nicht rechtzeitig an",
        "The body of the call stopped arriving. Nothing was delivered. Send the call again with "
        "the same Idempotency-Key.",
        "Die Anfrage kam nicht vollständig an. Es wurde nichts zugestellt. Senden Sie den Aufruf "
        "mit demselben Idempotency-Key erneut.",
    ),
    "media-type": (
        415,
        "Content type not supported",
        "Inhaltstyp nicht unterstützt",
        "Use the content type that the API description names for this call.",
        "Verwenden Sie den Inhaltstyp, den die API-Beschreibung für diesen Aufruf nennt.",
    ),
    "body-too-large": (
        413,
        "Body too large",
        "Anfrage zu groß",
        "The call is larger than allowed. " + _POST,
        "Der Aufruf ist größer als erlaubt. " + _POST_DE,
    ),
    "bad-request": (
        400,
        "Call not understood",
        "Aufruf nicht verständlich",
        _FIX,
        _FIX_DE,
    ),
    "multipart-malformed": (
        400,
        "Multipart body malformed",
        "Multipart-Inhalt fehlerhaft",
        "The multipart body is broken, cut, or its lengths lie. " + _FIX,
        "Der Multipart-Inhalt ist beschädigt oder abgeschnitten, oder seine Längenangaben stimmen "
        "nicht. " + _FIX_DE,
    ),
    "part-missing": (
        422,
        "Part missing",
        "Teil fehlt",
        "A dispatch needs one part `notice`, and parts `document` or, sealed by the agency, one "
        "`cover` and one `package`. " + _FIX,
        "Nötig sind ein Teil `notice` und Teile `document` oder, von der Behörde versiegelt, je "
        "ein Teil `cover` und `package`. " + _FIX_DE,
    ),
    "part-unexpected": (
        422,
        "Part unknown or repeated",
        "Teil unbekannt oder doppelt",
        "A dispatch has one part `notice`, and either parts `document` or one `cover` and one "
        "`package`, nothing else. " + _FIX,
        "Erlaubt sind ein Teil `notice` und entweder Teile `document` oder je ein Teil `cover` "
        "und `package`, sonst nichts. " + _FIX_DE,
    ),
    "part-media-type": (
        415,
        "Content type of a part not supported",
        "Inhaltstyp eines Teils nicht unterstützt",
        "The part `notice` is application/json, parts `document` are application/pdf, `cover` and "
        "`package` application/age. " + _FIX,
        "Der Teil `notice` ist application/json, Teile `document` sind application/pdf, `cover` "
        "und `package` application/age. " + _FIX_DE,
    ),
    "request-invalid": (
        422,
        "Call not valid",
        "Aufruf ungültig",
        "Fields are missing, unknown or of the wrong form; see `errors`. " + _FIX,
        "Felder fehlen, sind unbekannt oder haben die falsche Form; siehe `errors`. " + _FIX_DE,
    ),
    "idempotency-key-missing": (
        400,
        "Idempotency-Key missing or malformed",
        "Idempotency-Key fehlt oder ist fehlerhaft",
        "Send an Idempotency-Key of 1 to 100 visible ASCII characters, new for each notice.",
        "Senden Sie einen Idempotency-Key aus 1 bis 100 sichtbaren ASCII-Zeichen, neu für jeden "
        "Bescheid.",
    ),
    "idempotency-key-reused": (
        422,
        "Idempotency-Key used for another notice",
        "Idempotency-Key schon für einen anderen Bescheid verwendet",
        "The first notice under this key stands and is unchanged. Use a new key for another "
        "notice.",
        "Der erste Bescheid unter diesem Schlüssel gilt unverändert. Verwenden Sie für einen "
        "anderen Bescheid einen neuen Schlüssel.",
    ),
    # the citizen
    "enrolment-unknown": (
        404,
        "No such enrolment",
        "Anmeldung unbekannt",
        "The agency has no enrolment with this id. Check it. " + _POST,
        "Die Behörde hat keine Anmeldung mit dieser Kennung. Prüfen Sie sie. " + _POST_DE,
    ),
    "enrolment-active": (
        409,
        "Enrolment already active",
        "Anmeldung bereits aktiv",
        "The citizen has activated this enrolment; no new code is needed. Send notices to it.",
        "Die Person hat diese Anmeldung schon aktiviert; ein neuer Code ist nicht nötig. Senden "
        "Sie Bescheide an diese Anmeldung.",
    ),
    "enrolment-inactive": (
        409,
        "Enrolment not active",
        "Anmeldung nicht aktiv",
        "Nobody has activated this enrolment, so there is no key to renew. Enrol the citizen "
        "again with the same reference to get a new letter.",
        "Diese Anmeldung hat noch niemand aktiviert; es gibt keinen Schlüssel zu erneuern. Melden "
        "Sie die Person mit demselben Zeichen noch einmal an, dann entsteht ein neuer Brief.",
    ),
    "mailbox-inactive": (
        409,
        "Mailbox not active",
        "Postfach nicht aktiv",
        "The citizen has not activated the mailbox, or has closed it. " + _POST,
        "Die Person hat das Postfach nicht aktiviert oder geschlossen. " + _POST_DE,
    ),
    "consent-missing": (
        409,
        "No consent in force",
        "Keine Einwilligung",
        "The citizen has not consented to electronic delivery, or has revoked it. " + _POST,
        "Die Person hat der elektronischen Bekanntgabe nicht zugestimmt oder die Einwilligung "
        "widerrufen. " + _POST_DE,
    ),
    "address-missing": (
        409,
        "No confirmed e-mail address",
        "Keine bestätigte E-Mail-Adresse",
        "Without a confirmed address no alert can be sent, so nothing counts as served. " + _POST,
        "Ohne bestätigte Adresse kann keine Benachrichtigung versendet werden; eine wirksame "
        "Bekanntgabe ist so nicht möglich. " + _POST_DE,
    ),
    "address-failed": (
        409,
        "E-mail address undeliverable",
        "E-Mail-Adresse nicht erreichbar",
        "The last alert to the citizen's address came back for good. " + _POST,
        "Die letzte Benachrichtigung an die Adresse kam endgültig zurück. " + _POST_DE,
    ),
    "written-form": (
        422,
        "Schriftform demanded",
        "Schriftform vorgeschrieben",
        "A statute demands Schriftform for this notice, and no qualified electronic signature or "
        f"seal replaces it (§ 36a SGB I). {_POST}",
        "Für diesen Bescheid ist Schriftform vorgeschrieben, und keine qualifizierte Signatur und "
        f"kein qualifiziertes Siegel ersetzt sie (§ 36a SGB I). {_POST_DE}",
    ),
    "reprovides-unknown": (
        404,
        "Notice to provide again not found",
        "Erneut bereitzustellender Bescheid nicht gefunden",
        "Your agency sent no such notice to this enrolment. Check the id in `reprovides`.",
        "Ihre Behörde hat an diese Person keinen solchen Bescheid gesandt. Prüfen Sie die Nummer "
        "in `reprovides`.",
    ),
    "reprovides-withdrawn": (
        409,
        "Notice was withdrawn",
        "Bescheid wurde zurückgezogen",
        "What was withdrawn is not provided again. Dispatch a new notice without `reprovides`.",
        "Zurückgezogenes wird nicht erneut bereitgestellt. Versenden Sie einen neuen Bescheid ohne "
        "`reprovides`.",
    ),
    "reprovides-differs": (
        422,
        "Other documents than before",
        "Andere Dokumente als zuvor",
        "Providing again means the same documents in the same order. Send those, or dispatch a new "
        "notice without `reprovides`.",
        "Erneut bereitstellen heißt: dieselben Dokumente in derselben Reihenfolge. Senden Sie "
        "diese, oder versenden Sie einen neuen Bescheid ohne `reprovides`.",
    ),
    "reprovided-before": (
        409,
        "Provided again before",
        "Bereits erneut bereitgestellt",
        "This notice was provided again already; the reason names the newer one. Start from that.",
        "Dieser Bescheid wurde bereits erneut bereitgestellt; der neuere ist im Grund genannt. "
        "Gehen Sie von diesem aus.",
    ),
    "key-missing": (
        409,
        "Mailbox has no usable key",
        "Postfach ohne Schlüssel",
        "There is nothing to seal the notice to. " + _POST,
        "Der Bescheid kann für dieses Postfach nicht versiegelt werden. " + _POST_DE,
    ),
    # sealed by the agency itself
    "key-changed": (
        409,
        "Mailbox has other keys now",
        "Postfach hat jetzt andere Schlüssel",
        "Nothing was delivered. Check the keys in `recipients`, seal cover and package again to "
        "all of them, and send the call again.",
        "Es wurde nichts zugestellt. Prüfen Sie die Schlüssel in `recipients`, versiegeln Sie "
        "Deckblatt und Paket neu für alle und senden Sie den Aufruf erneut.",
    ),
    "sealed-malformed": (
        422,
        "Sealed part malformed",
        "Versiegelter Teil fehlerhaft",
        "Parts `cover` and `package` are age v1 files, sealed to exactly the named keys with "
        "mlkem768x25519 recipients and no others. Nothing was delivered. Seal again.",
        "Die Teile `cover` und `package` sind age-v1-Dateien, versiegelt genau für die genannten "
        "Schlüssel mit mlkem768x25519 und keinem anderen Verfahren. Es wurde nichts zugestellt. "
        "Versiegeln Sie neu.",
    ),
    "agency-key-missing": (
        403,
        "Agency has no manifest key of its own",
        "Behörde ohne eigenen Manifest-Schlüssel",
        "Who seals on its own side signs with a key of its own. Have the operator bind it "
        "(`siegelpost agency bind-key`).",
        "Wer selbst versiegelt, unterschreibt mit einem eigenen Schlüssel. Lassen Sie ihn vom "
        "Betreiber eintragen (`siegelpost agency bind-key`).",
    ),
    "notice-id": (
        409,
        "Notice id cannot be used",
        "Kennung des Bescheids nicht verwendbar",
        "The id must be a fresh UUIDv7, not used before: take the one that comes with the "
        "recipients, and seal again.",
        "Die Kennung muss eine frische, noch nicht verwendete UUIDv7 sein: Nehmen Sie die, die "
        "mit den Schlüsseln kommt, und versiegeln Sie neu.",
    ),
    # the documents
    "no-document": (422, "No document", "Kein Dokument", _FIX, _FIX_DE),
    "too-many-documents": (
        422,
        "Too many documents",
        "Zu viele Dokumente",
        "Join documents into fewer files, or send several notices.",
        "Fassen Sie Dokumente zusammen oder versenden Sie mehrere Bescheide.",
    ),
    "document-too-large": (
        413,
        "Document too large",
        "Dokument zu groß",
        "Reduce the file. If that cannot be done: " + _POST,
        "Verkleinern Sie die Datei. Ist das nicht möglich: " + _POST_DE,
    ),
    "notice-too-large": (
        413,
        "Documents too large together",
        "Dokumente zusammen zu groß",
        "Reduce the files or send several notices.",
        "Verkleinern Sie die Dateien oder versenden Sie mehrere Bescheide.",
    ),
    "document-empty": (422, "Document empty", "Dokument leer", _PDF, _PDF_DE),
    "document-not-pdf": (422, "Document is no PDF", "Dokument ist kein PDF", _PDF, _PDF_DE),
    "document-damaged": (
        422,
        "PDF cut or damaged",
        "PDF unvollständig oder beschädigt",
        "The file cannot be opened without repair. " + _PDF,
        "Die Datei lässt sich nicht ohne Reparatur öffnen. " + _PDF_DE,
    ),
    "document-encrypted": (
        422,
        "PDF encrypted",
        "PDF verschlüsselt",
        "Take out password and permissions; the service seals the document itself. " + _PDF,
        "Entfernen Sie Kennwort und Beschränkungen; der Dienst versiegelt das Dokument selbst. "
        + _PDF_DE,
    ),
    "document-active-content": (
        422,
        "PDF with active content",
        "PDF mit aktiven Inhalten",
        "The PDF holds scripts, programs or files that may act on the reader's device. " + _PDF,
        "Das PDF enthält Skripte, Programmaufrufe oder eingebettete Dateien. " + _PDF_DE,
    ),
    "document-too-complex": (
        422,
        "PDF too complex",
        "PDF zu komplex",
        "Checking the PDF would need too much memory. " + _PDF,
        "Die Prüfung des PDFs würde zu viel Speicher brauchen. " + _PDF_DE,
    ),
    "document-name": (
        422,
        "File name missing or too long",
        "Dateiname fehlt oder ist zu lang",
        _FIX,
        _FIX_DE,
    ),
    "cover-too-large": (422, "Cover too large", "Deckblatt zu groß", _FIX, _FIX_DE),
    # the service
    "not-yet-logged": (
        409,
        "Receipt not ready yet",
        "Nachweis noch nicht fertig",
        "The log includes new events within a few seconds. Ask again.",
        "Neue Ereignisse stehen nach wenigen Sekunden im Protokoll. Fragen Sie erneut.",
    ),
    "seal-unavailable": (
        503,
        "No seal for PDFs",
        "Kein Siegel für PDF",
        "The service cannot seal PDFs now. The receipt as JSON is always there.",
        "Der Dienst kann gerade keine PDF siegeln. Die Quittung als JSON gibt es immer.",
    ),
    "step-refused": (
        409,
        "The notice's state does not allow this",
        "Der Stand des Bescheids erlaubt das nicht",
        "See the notice's state.",
        "Siehe Stand des Bescheids.",
    ),
    "busy": (
        503,
        "Busy",
        "Ausgelastet",
        "Other calls kept changing the same data. Nothing was delivered by this call. Send it "
        "again with the same Idempotency-Key.",
        "Andere Aufrufe änderten gleichzeitig dieselben Daten. Dieser Aufruf hat nichts "
        "zugestellt. Senden Sie ihn mit demselben Idempotency-Key erneut.",
    ),
    "task-closed": (
        409,
        "Task already closed",
        "Aufgabe bereits erledigt",
        "The task was closed before with another outcome, which stays. Nothing needs to be done.",
        "Die Aufgabe wurde schon mit einem anderen Ergebnis erledigt; dabei bleibt es. Sie müssen "
        "nichts tun.",
    ),
    "unavailable": (
        503,
        "Temporarily unavailable",
        "Vorübergehend nicht verfügbar",
        "The service cannot reach its storage or keys. Send the call again later with the same "
        "Idempotency-Key: it is delivered once.",
        "Der Dienst erreicht Speicher oder Schlüssel nicht. Senden Sie den Aufruf später mit "
        "demselben Idempotency-Key erneut: Er wird nur einmal zugestellt.",
    ),
    "internal-error": (
        500,
        "Internal error",
        "Interner Fehler",
        "This is a defect of the service. Send the call again later with the same "
        "Idempotency-Key, and tell the operator the request id.",
        "Das ist ein Fehler des Dienstes. Senden Sie den Aufruf später mit demselben "
        "Idempotency-Key erneut und nennen Sie dem Betreiber die request_id.",
    ),
}
