"""The citizens' use cases: enrolment, activation, consent, keys, addresses, login and sessions.

DESIGN sections 3, 4 and 6. One use case a file; each is ``async def verb(context, …)``, owns its
transaction and raises the errors of :mod:`siegelpost.citizens.errors`, which know no HTTP.
"""

from siegelpost.citizens.errors import CitizenError

__all__ = ["CitizenError"]
