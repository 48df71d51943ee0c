"""How the service ends, and what it leaves for others to read."""

from __future__ import annotations

import signal
import stat

import pytest

from tests.support.service import Service, service_in


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_exit_codes_are_those_that_shells_expect(
    tmp_path_factory: pytest.TempPathFactory, sent: signal.Signals, code: int
) -> None:
    with service_in(tmp_path_factory.mktemp("signals"), real=True) as service:
        assert ended(service, sent) == code


def ended(service: Service, sent: signal.Signals) -> int:
    process = service.process
    assert process is not None
    process.send_signal(sent)
    code = process.wait(60)
    service.process = None
    return code


def test_database_is_nobody_else_s_to_read(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("modes")
    with service_in(folder, "sqlite:///own.db"):  # made by the program, not for it
        files = sorted(folder.rglob("*.db*"))
        assert files
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
