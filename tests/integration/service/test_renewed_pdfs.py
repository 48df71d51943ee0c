"""`siegelpost renew FILE`: one more timestamp over a PDF receipt, by the settings' authorities."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.evidence.trust import parse_trust, write_trust
from siegelpost.service.__main__ import app
from siegelpost.service.administration import open_keyring
from siegelpost.service.demo.authority import LocalAuthority, serving
from siegelpost.service.errors import ServiceError
from siegelpost.service.outsiders import timestamp_authorities
from siegelpost.service.pdf_sealing import pdf_sealer
from siegelpost.service.settings import read_settings
from tests.support.pdf_receipts import unsealed
from tests.support.receipts import sample_trust

run = CliRunner()


def test_a_service_seals_with_a_timestamp_and_renews_it(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    arguments = ["--origin", "post.example", "--public-url", "https://post.example"]
    assert run.invoke(app, ["init", str(folder), *arguments]).exit_code == 0
    file = folder / "siegelpost.toml"
    authority = LocalAuthority(tmp_path / "tsa", name="TSA Musterland")
    lists = tmp_path / "tsa.crl"
    lists.write_bytes(authority.revocations(datetime.now(UTC)))
    receipt = tmp_path / "receipt.pdf"
    with serving(authority) as url:
        # The first one is away: the second is the fall-back.
        named = ", ".join(
            f'{{name = "{name}", url = {json.dumps(address)}, certificates_file = '
            f"{json.dumps(str(authority.certificate))}}}"
            for name, address in (("away", "http://127.0.0.1:9/"), ("TSA Musterland", url))
        )
        with file.open("a") as text:
            text.write(f"\n[timestamps]\nauthorities = [{named}]\n")
        settings = read_settings(file)
        keyring, authorities = open_keyring(settings), timestamp_authorities(settings)
        seal = pdf_sealer(keyring, authorities, None)
        receipt.write_bytes(seal(unsealed()))
        first = receipt.read_bytes()
        done = run.invoke(app, ["renew", str(receipt), "--crl", str(lists), "-s", str(file)])
        assert done.exit_code == 0, done.output
        other = run.invoke(app, ["renew", str(lists), "-s", str(file)])
        assert isinstance(other.exception, ServiceError)
        own = parse_trust(run.invoke(app, ["trust", "-s", str(file)]).stdout_bytes)
    trust = write_trust(
        replace(
            sample_trust(),
            seal_certificates=own.seal_certificates,
            timestamp_authorities=own.timestamp_authorities,
        )
    )
    assert verify_pdf(first, trust, now=datetime.now(UTC)).dated
    renewed = verify_pdf(receipt.read_bytes(), trust, now=datetime.now(UTC))
    assert receipt.read_bytes().startswith(first)
    assert renewed.steps[4].result_en.startswith("2 of")

    # Nobody answers any more: sealed all the same, and undated.
    undated = verify_pdf(seal(unsealed()), trust, now=datetime.now(UTC))
    assert not undated.dated
    assert not undated.steps[4].checked


def test_without_an_authority_nothing_is_renewed(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    arguments = ["--origin", "post.example", "--public-url", "https://post.example"]
    run.invoke(app, ["init", str(folder), *arguments])
    file = tmp_path / "receipt.pdf"
    file.write_bytes(unsealed())
    done = run.invoke(app, ["renew", str(file), "-s", str(folder / "siegelpost.toml")])
    with pytest.raises(ServiceError, match="no timestamp authority"):
        raise done.exception or AssertionError(done.output)
