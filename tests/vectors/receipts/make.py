"""Make the golden receipt: `python tests/vectors/receipts/make.py` from the repository root.

A receipt that was handed out must verify for decades: a change of the code that needs this file
made anew is a change of format and needs a new version. Own work; all persons are fictional.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from siegelpost.evidence.receipt import write_receipt
from siegelpost.evidence.trust import write_trust
from tests.support.receipts import DOCUMENTS, Sample, sample_trust

if __name__ == "__main__":
    folder = Path(__file__).parent
    folder.joinpath("receipt.json").write_bytes(write_receipt(Sample().receipt()))
    folder.joinpath("trust.json").write_bytes(write_trust(sample_trust()))
    folder.joinpath("document.pdf").write_bytes(DOCUMENTS[0])
