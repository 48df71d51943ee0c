"""A real Postfix with a configuration, queue and log of its own, on 127.0.0.1 and a free port.

It speaks STARTTLS with a test certificate, offers DSN, and hands what it takes to a next hop on
this machine, or throws it away. It never looks at the machine's own Postfix or the network.
"""

from __future__ import annotations

import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from siegelpost.letterbox.certificate import make_certificate
from tests.support.postgres import free_port

_PROGRAM = "/usr/sbin/postfix"

#: Services of master.cf that relaying needs; none in a chroot, which would need copies of files.
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 5 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.post.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
local_transport = error:no local mail here
default_transport = {transport}
relayhost =
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = {restrictions}
smtpd_peername_lookup = no
notify_classes =
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
maximal_queue_lifetime = {lifetime}
bounce_queue_lifetime = 600s
delay_warning_time = {delay_warning}
transport_maps = regexp:{folder}/etc/transports
smtp_connect_timeout = 5s
"""


@dataclass(frozen=True, kw_only=True)
class Postfix:
    """A running Postfix."""

    #: takes mail on 127.0.0.1
    port: int
    #: certificate that clients have to trust; names 127.0.0.1 and localhost
    certificate: Path
    #: configuration, queue, log
    folder: Path

    def log(self) -> str:
        """Return what it has logged so far."""
        file = self.folder / "log" / "mail.log"
        return file.read_text(errors="replace") if file.exists() else ""


def why_not() -> str | None:
    """Return why no Postfix can be started here, or None if one can."""
    if not Path(_PROGRAM).exists():
        return "Postfix is not installed: apt-get install postfix"
    if os.geteuid() != 0:
        return "only root can start a Postfix"
    return None


@contextmanager
def running_postfix(
    *,
    next_hop: int | None = None,
    refused: Mapping[str, str] | None = None,
    transports: Mapping[str, str] | None = None,
    lifetime: str = "1d",
    delay_warning: str = "0",
) -> Iterator[Postfix]:
    """Yield a Postfix that relays to port `next_hop` of 127.0.0.1, or discards all mail.

    `refused` maps recipients to the reply they get at RCPT, e.g. ``550 5.1.1 no such user``.
    `transports` maps domains to other ways, e.g. ``smtp:[127.0.0.1]:2525``; `lifetime` is how long
    it tries, `delay_warning` when it reports a delay (both in Postfix's words; 0: never).
    """
    folder = Path(tempfile.mkdtemp(prefix="siegelpost-mx-"))
    folder.chmod(0o755)
    configuration = folder / "etc"
    try:
        port = free_port()
        certificate = _write(
            folder,
            configuration,
            port,
            next_hop,
            refused or {},
            transports or {},
            {"lifetime": lifetime, "delay_warning": delay_warning},
        )
        _command(configuration, "start")
        try:
            _wait_for(port)
            yield Postfix(port=port, certificate=certificate, folder=folder)
        finally:
            _command(configuration, "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(
    folder: Path,
    configuration: Path,
    port: int,
    next_hop: int | None,
    refused: Mapping[str, str],
    transports: Mapping[str, str],
    times: Mapping[str, str],
) -> Path:
    for name in ("etc", "queue", "data", "log", "tls"):
        (folder / name).mkdir()
    owner = pwd.getpwnam("postfix")
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    files = make_certificate(folder / "tls")
    (configuration / "refused").write_text(
        "".join(
            f"/^{address.replace('.', '[.]')}$/ {reply}\n" for address, reply in refused.items()
        )
    )
    (configuration / "transports").write_text(
        "".join(f"/@{domain.replace('.', '[.]')}$/ {way}\n" for domain, way in transports.items())
    )
    (configuration / "master.cf").write_text(_MASTER.format(port=port))
    (configuration / "main.cf").write_text(
        _MAIN.format(
            folder=folder,
            transport=f"smtp:[127.0.0.1]:{next_hop}" if next_hop else "discard:",
            certificate=files.certificate,
            key=files.key,
            restrictions=f"check_recipient_access regexp:{configuration}/refused",
            **times,
        )
    )
    return files.certificate


def _command(configuration: Path, verb: str) -> None:
    done = subprocess.run(
        [_PROGRAM, "-c", configuration, verb],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"postfix {verb} failed: {done.stderr[-1000:]}")


def _wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
                client.noop()
            return
        except (OSError, smtplib.SMTPException):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
