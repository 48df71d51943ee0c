"""Who acts for an agency: a client of its systems or a member of its staff."""

from __future__ import annotations

from typing import Protocol

from siegelpost.evidence.ids import AgencyId


class ForAgency(Protocol):
    """Somebody who was authenticated as acting for one agency."""

    @property
    def agency_id(self) -> AgencyId:
        """The only agency that it acts for."""
        ...

    @property
    def actor(self) -> str:
        """Who did it, as events name it: ``client:<id>`` or ``staff:<id>``."""
        ...
