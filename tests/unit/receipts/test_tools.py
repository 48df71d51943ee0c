"""What programs that are not ours say about PDF receipts, and seal keys in hardware."""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.keyring import tokens
from siegelpost.keyring.pins import Pin
from siegelpost.keyring.seal_key import SealKey, TokenKey, with_certificates
from siegelpost.keyring.tokens import OpenSession
from siegelpost.receipts.court_seal import seal_manifest
from siegelpost.receipts.pdf import make_pdf
from siegelpost.receipts.sealing import SealingFailed, seal_pdf
from tests.support.pdf_receipts import Sealer, receipt_json, unsealed
from tests.support.seal_ca import SealCa
from tests.support.softhsm import LABEL, MODULE, SoftToken, forget_modules, log_signer, soft_token


@pytest.fixture(scope="module", params=["de", "en"])
def sealed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pdf") / "receipt.pdf"
    file.write_bytes(Sealer().seal(unsealed(request.param)))
    return file


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_qpdf_finds_no_fault(sealed: Path) -> None:
    assert "No syntax or stream encoding errors" in run("qpdf", "--check", sealed)


def test_pdfsig_finds_the_signature_valid_and_the_whole_signed(sealed: Path) -> None:
    said = run("pdfsig", "-nocert", sealed)
    assert "Signature Validation: Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


def test_poppler_finds_the_receipt_inside(sealed: Path, tmp_path: Path) -> None:
    run("pdfdetach", "-savefile", "receipt.json", "-o", tmp_path / "out.json", sealed)
    assert (tmp_path / "out.json").read_bytes() == receipt_json()


def test_it_says_that_it_is_tagged_archivable_and_accessible(sealed: Path) -> None:
    said = run("pdfinfo", sealed)
    assert "Tagged:          yes" in said
    metadata = run("pdfinfo", "-meta", sealed)
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata


@pytest.mark.skipif(shutil.which("verapdf") is None, reason="veraPDF is not installed")
@pytest.mark.parametrize("flavour", ["3a", "ua1"])
def test_verapdf_finds_it_conforming(sealed: Path, flavour: str) -> None:
    assert 'isCompliant="true"' in run("verapdf", "--flavour", flavour, sealed)


def test_every_page_shows_text_that_can_be_read_out(sealed: Path) -> None:
    text = run("pdftotext", "-layout", sealed, "-")
    assert "250 2.0.0 Ok: queued as 4XyZ" in text
    for page in text.split("\f")[:-1]:
        assert len(page.split()) > 20


def test_a_pdf_takes_less_than_a_second() -> None:
    sealer, receipt = Sealer(), receipt_json()
    sealer.seal(make_pdf(receipt, language="de"))  # fonts and libraries load once
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        sealer.seal(make_pdf(receipt, language="de"))
        times.append(time.perf_counter() - begun)
    assert min(times) < 1


def test_a_key_in_hardware_seals(tmp_path: Path) -> None:
    with soft_token(tmp_path / "hsm") as soft:
        seals_in(soft)


def seals_in(soft: SoftToken) -> None:
    def make(session: OpenSession) -> bytes:
        with session.writable() as raw:
            parameters = raw.create_domain_parameters(
                pkcs11.KeyType.EC,
                {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
                local=True,
            )
            public, _ = parameters.generate_keypair(store=True, label="seal")
            return encode_ec_public_key(public)

    on_token = TokenKey(module=str(MODULE), token=LABEL, label="seal")
    spki = soft.token().run(make)
    key = load_der_public_key(spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    ca = SealCa()
    seal_key = with_certificates(
        SealKey(on_token=on_token), [ca.certify_key("Siegel post.example", key), ca.root]
    )
    sealer = Sealer(key=seal_key)
    pdf = seal_pdf(unsealed(), seal_key, pin=Pin(soft.pin_file))
    verified = verify_pdf(pdf, sealer.trust(), now=datetime.now(UTC))
    assert "Siegel post.example" in verified.steps[3].result_de
    assert ca.root.public_bytes(Encoding.DER) in seal_manifest(b"manifest", seal_key)
    forget_modules()  # as after a restart: for who is logged in, nobody asks for the PIN
    soft.write_pin("0815")
    wrong = Pin(soft.pin_file)
    for said in ("was refused by the token", "is not tried again"):
        with pytest.raises(SealingFailed, match=said):
            seal_pdf(unsealed(), seal_key, pin=wrong)
    assert ca.root.public_bytes(Encoding.DER) in seal_key.certificates


def test_a_seal_key_that_is_missing_does_not_start_its_module_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which ends the sessions of all other keys, and may hold the process while it lasts.
    monkeypatch.setattr(tokens, "RESTART_SECONDS", 0.0)
    gone = SealKey(
        on_token=TokenKey(module=str(MODULE), token=LABEL, label="gone"),
        certificates=Sealer().key.certificates,
    )
    with soft_token(tmp_path / "hsm") as soft:
        log = log_signer(soft)
        with pytest.raises(SealingFailed, match="gone"):
            seal_pdf(unsealed(), gone)
        log.sign(b"x")
        assert [module._restarted_at > 0 for module in tokens._modules.values()] == [False]
