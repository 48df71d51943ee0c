"""Staff of agencies: who may do what, logins, looks into files, exports under four eyes.

DESIGN sections 3, 7 and 12. One use case a file; each is ``async def verb(context, member, …)``,
owns its transaction and raises errors that know no HTTP. A member sees the own agency alone:
that is part of each query, and what is foreign looks unknown.
"""

from siegelpost.staff.errors import StaffError

__all__ = ["StaffError"]
