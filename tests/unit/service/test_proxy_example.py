"""The proxy's example settings: what they say about TLS, versions, logs and uploads."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SETTINGS = Path(__file__).resolve().parents[3] / "config" / "proxy" / "nginx.conf"
LINES = dict(re.findall(r"^ *([a-z_]+) +(.+);$", SETTINGS.read_text(encoding="utf-8"), re.M))


def test_tls_is_1_2_or_newer() -> None:
    assert LINES["ssl_protocols"].split() == ["TLSv1.2", "TLSv1.3"]


def test_ciphers_have_forward_secrecy_and_authenticated_encryption() -> None:
    ciphers = LINES["ssl_ciphers"].split(":")
    assert ciphers
    for cipher in ciphers:
        assert re.fullmatch(r"ECDHE-(ECDSA|RSA)-AES(128|256)-GCM-SHA(256|384)", cipher)


def test_ciphers_are_known_to_openssl() -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    known = subprocess.run(
        [openssl, "ciphers", LINES["ssl_ciphers"]], capture_output=True, text=True, check=True
    )
    assert set(LINES["ssl_ciphers"].split(":")) <= set(known.stdout.strip().split(":"))


def test_no_version_is_told_no_address_logged_and_no_upload_kept() -> None:
    assert LINES["server_tokens"] == "off"
    assert "$remote_addr" not in LINES["log_format"]
    assert "$request_uri" not in LINES["log_format"]
    assert LINES["proxy_request_buffering"] == "off"
