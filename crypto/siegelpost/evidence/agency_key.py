"""Agency keys: manifest keys that an agency makes and keeps itself (DESIGN section 5).

An agency that seals on its own side signs its manifests with such a key. To have it bound it hands
in a signed note: the text names the agency and the key, and the key itself signs it, so that nobody
can have another's public key bound as one's own. The event agency-key-bound puts it into the log.
That the note came from the agency is for the operator to find out, on another way.
"""

from __future__ import annotations

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import EvidenceError, FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, check_id
from siegelpost.evidence.notes import Signer, Verifier, open_note, sign_note, split_note

FORMAT = "siegelpost/agency-key/v1"
#: Largest note that is read, in bytes.
MAX_NOTE = 4096


def agency_key_name(origin: str, agency: AgencyId) -> str:
    """How an agency names its key, in the log and in packages."""
    return f"{origin}/manifest/{agency}/own"


def agency_key_note(agency: AgencyId, signer: Signer) -> str:
    """What the agency hands in: that `signer` is its manifest key, signed by itself."""
    return sign_note(_text(agency, signer.verifier), signer)


def open_agency_key_note(note: str) -> tuple[AgencyId, Verifier]:
    """Whose key it is, and the key; FormatError, NoteError or SignatureError if it is not shown."""
    if len(note) > MAX_NOTE:
        raise FormatError(f"the note is larger than {MAX_NOTE} bytes")
    text, _ = split_note(note)
    fields = Fields(
        canonical.decode(text[:-1].encode("utf-8")),
        "agency key",
        required=("agency", "format", "vkey"),
    )
    fields.expect("format", FORMAT)
    agency = AgencyId(check_id(fields.text("agency"), "agency"))
    verifier = Verifier.from_vkey(fields.text("vkey"))
    open_note(note, [verifier])
    return agency, verifier


def agency_key_facts(verifier: Verifier, note: str) -> dict[str, Json]:
    """The facts of the event agency-key-bound: the note proves that its owner wanted it."""
    return {"vkey": verifier.vkey, "note": note}


def _text(agency: AgencyId, verifier: Verifier) -> str:
    try:
        body = canonical.encode({"agency": agency, "format": FORMAT, "vkey": verifier.vkey})
    except EvidenceError as error:
        raise FormatError(str(error)) from None
    return body.decode("utf-8") + "\n"
