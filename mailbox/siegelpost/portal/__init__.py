"""The citizens' pages and their HTTP protocol (DESIGN sections 6 and 12).

Python side: routes, security headers, sessions, form tokens, problem answers.
What people see is in ``templates/pages`` and ``static``; what happens is in ``citizens`` and
``notices``, which know no HTTP.
"""

from siegelpost.portal.app import create_portal
from siegelpost.portal.settings import PortalSettings

__all__ = ["PortalSettings", "create_portal"]
