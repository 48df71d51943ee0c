"""What can go wrong when the service is set up or started."""


class ServiceError(Exception):
    """Root of the errors of wiring and command line; its text is shown to the operator."""


class SettingsError(ServiceError):
    """A setting is missing, unknown or wrong; the text names it."""


class PortTaken(ServiceError):
    """The address to listen on is in use, or not ours to use."""
