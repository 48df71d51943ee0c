"""Roles: one declared table of who may do what, and the member that every use case is handed.

Files (notices with their evidence) are open to clerks and legal staff alone; an auditor sees who
looked and exported, an administrator who works here. Nobody decides about an own export.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from siegelpost.evidence.ids import AgencyId
from siegelpost.staff.errors import RoleMissing


class Role(StrEnum):
    """What a member of staff is for the agency."""

    CLERK = "clerk"
    LEGAL = "legal"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Action(StrEnum):
    """What the console does for people."""

    #: find notices, open their files, make receipts without addresses
    SEE_FILES = "see-files"
    #: close tasks, record paper and disputes
    ACT = "act"
    #: ask for and decide about exports with addresses
    EXPORT = "export"
    #: see who looked into files and who exported
    SEE_ACCESS = "see-access"
    #: see numbers about alerts
    SEE_STATISTICS = "see-statistics"
    #: invite colleagues and shut them out
    MANAGE_STAFF = "manage-staff"
    #: verify a receipt that somebody brings
    VERIFY = "verify"


_C, _L, _A, _M = Role.CLERK, Role.LEGAL, Role.AUDITOR, Role.ADMIN

#: Roles that allow an action.
ALLOWED: Mapping[Action, frozenset[Role]] = {
    Action.SEE_FILES: frozenset({_C, _L}),
    Action.ACT: frozenset({_C, _L}),
    Action.EXPORT: frozenset({_L}),
    Action.SEE_ACCESS: frozenset({_A}),
    Action.SEE_STATISTICS: frozenset({_C, _L, _A, _M}),
    Action.MANAGE_STAFF: frozenset({_M}),
    Action.VERIFY: frozenset({_C, _L, _A, _M}),
}


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody of an agency's staff who is logged in."""

    #: pseudonym in events
    id: str
    #: the only agency whose files there are
    agency_id: AgencyId
    #: its name, for the page
    agency_name: str
    #: as colleagues know the person; for pages, never for events
    name: str
    #: what the person may be
    roles: frozenset[Role]

    @property
    def actor(self) -> str:
        """Who did it, as events name it."""
        return f"staff:{self.id}"

    def may(self, action: Action) -> bool:
        """Whether one of the roles allows it."""
        return bool(self.roles & ALLOWED[action])

    def role_for(self, action: Action) -> Role:
        """The role by which the member does it; RoleMissing if there is none."""
        for role in Role:
            if role in self.roles & ALLOWED[action]:
                return role
        raise RoleMissing(f"no role allows {action.value}")

    def need(self, action: Action) -> None:
        """RoleMissing unless one of the roles allows it.

        Asked before anything is looked up, so that the answer says nothing about files.
        """
        self.role_for(action)


def roles_text(roles: Iterable[Role]) -> str:
    """Roles as stored: each once, in the order of `Role`."""
    wanted = set(roles)
    return " ".join(role.value for role in Role if role in wanted)


def roles_of(text: str) -> frozenset[Role]:
    """Roles as read back; ValueError for unknown ones."""
    return frozenset(Role(word) for word in text.split())
