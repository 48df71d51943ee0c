"""Whose cosignatures are enough (c2sp.org/tlog-policy): witnesses, groups and a quorum.

Policies stand in trust files (which a verifier pins) and in settings (whom the service asks), as
the lines of that specification: `witness NAME VKEY [URL]`, `group NAME any|all|K NAME…`,
`quorum NAME|none`. `log` lines are refused: the trust file names the log's keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from siegelpost.evidence.cosignature import Witness
from siegelpost.evidence.errors import FormatError

#: Most lines of a policy, and characters of a line.
MAX_LINES = 200
MAX_LINE = 2000

_NUMBER = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PolicyWitness:
    """A witness under the name that it has in the policy."""

    #: Name within the policy; the key's own name may differ.
    name: str
    witness: Witness
    #: Submission prefix (c2sp.org/tlog-witness), or None if the policy is for verifying only.
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A parsed policy."""

    witnesses: tuple[PolicyWitness, ...] = ()
    #: Group → how many of which members (witnesses or groups) it takes.
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    #: A witness or group; None demands nobody.
    quorum: str | None = None
    #: The lines as they were read.
    lines: tuple[str, ...] = ()

    def satisfied_by(self, cosigners: Collection[Witness]) -> bool:
        """Whether cosignatures of exactly these witnesses are enough."""
        return self.quorum is None or self._holds(self.quorum, {w.vkey for w in cosigners})

    def _holds(self, name: str, signed: set[str]) -> bool:
        if name in self.groups:
            least, members = self.groups[name]
            return sum(self._holds(member, signed) for member in members) >= least
        return any(item.name == name and item.witness.vkey in signed for item in self.witnesses)

    @property
    def keys(self) -> tuple[Witness, ...]:
        """The public keys of all witnesses."""
        return tuple(item.witness for item in self.witnesses)


#: Demands nobody.
NO_WITNESSES = Policy()


def parse_policy(lines: Iterable[str]) -> Policy:
    """The policy of `lines`; FormatError if malformed. No line at all demands nobody."""
    kept = tuple(lines)
    if len(kept) > MAX_LINES:
        raise FormatError(f"the witness policy has more than {MAX_LINES} lines")
    reader = _Reader()
    for number, line in enumerate(kept, 1):
        if len(line) > MAX_LINE or any((c < " " and c != "\t") or c == "\x7f" for c in line):
            raise FormatError(f"witness policy, line {number}: too long or a control character")
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.take(words)
        except FormatError as error:
            raise FormatError(f"witness policy, line {number}: {error}") from None
    if reader.quorum is None and (reader.witnesses or reader.groups):
        raise FormatError("the witness policy has no quorum line")
    return Policy(
        witnesses=tuple(reader.witnesses.values()),
        groups=reader.groups,
        quorum=None if reader.quorum in (None, "none") else reader.quorum,
        lines=kept,
    )


class _Reader:
    def __init__(self) -> None:
        self.witnesses: dict[str, PolicyWitness] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()

    def take(self, words: list[str]) -> None:
        match words:
            case ["witness", name, vkey]:
                self._witness(name, vkey, None)
            case ["witness", name, vkey, url]:
                self._witness(name, vkey, url)
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, tuple(members))
            case ["quorum", name]:
                if self.quorum is not None:
                    raise FormatError("a second quorum")
                if name != "none":
                    self._known(name)
                self.quorum = name
            case _:
                raise FormatError("no line of the form witness, group or quorum")

    def _witness(self, name: str, vkey: str, url: str | None) -> None:
        self._new(name)
        witness = Witness.from_vkey(vkey)
        if any(item.witness.public_key == witness.public_key for item in self.witnesses.values()):
            raise FormatError("two witnesses share a key")
        self.witnesses[name] = PolicyWitness(name=name, witness=witness, url=url)

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        self._new(name)
        for member in members:
            self._known(member)
            # Each may count in one way only.
            if member in self._members:
                raise FormatError(f"{member} is a member twice")
            self._members.add(member)
        least = {"any": 1, "all": len(members)}.get(threshold)
        if least is None:
            least = int(threshold) if _NUMBER.fullmatch(threshold) else 0
        if not 1 <= least <= len(members):
            raise FormatError(f"{threshold} of {len(members)} members cannot be")
        self.groups[name] = (least, members)

    def _new(self, name: str) -> None:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise FormatError(f"the name {name} is taken")

    def _known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise FormatError(f"{name} is not defined above")
