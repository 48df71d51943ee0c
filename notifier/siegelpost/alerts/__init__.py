"""Alert mail out: compose, submit, record, retry (DESIGN sections 4.5 and 8).

The worker (`worker.AlertWorker`) is what the service starts; everything else serves it.
Import from the modules; this package re-exports nothing but the errors.
"""

from siegelpost.alerts.errors import AlertError

__all__ = ["AlertError"]
