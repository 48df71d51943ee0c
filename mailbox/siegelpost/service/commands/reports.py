"""``siegelpost report``: a kept report about an alert, as it came in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError


def report(
    identifier: Annotated[str, typer.Argument(help="Id of the report, from its event.")],
    settings: SettingsFile = None,
) -> None:
    """Print a kept report about an alert as it came in; it holds the citizen's address."""
    from siegelpost.bounces.errors import BounceUnknown
    from siegelpost.bounces.reading import open_report
    from siegelpost.sealing.errors import NoMatch
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings
    from siegelpost.store.database import Database

    read = read_settings(settings)
    database = Database(read.database.url)
    try:
        with database.read() as connection:
            raw = open_report(connection, open_keyring(read), identifier)
    except BounceUnknown as error:
        raise ServiceError(str(error)) from None
    except NoMatch:
        raise ServiceError("the report is sealed to the agency's own key") from None
    finally:
        database.close()
    sys.stdout.buffer.write(raw)
