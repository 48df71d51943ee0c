"""The sandbox: a service with a virtual clock and simulated addresses, apart from real life.

For vendors of case software, who replay ten days in seconds. Everything runs on the real code path:
alerts leave over SMTP to a simulated mail exchanger on this machine, and its reports come back over
SMTP to the bounce server. Only time is not real.
"""
