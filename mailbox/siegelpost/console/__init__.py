"""The pages of legal staff and clerks under ``/console/`` (DESIGN sections 2 and 12).

Rendered on the server with KERN, in German; nothing but login and registration of a passkey needs
JavaScript. What people may do and see is decided in ``siegelpost.staff`` and ``notices``.
"""

from siegelpost.console.app import create_console

__all__ = ["create_console"]
