"""The authorities' HTTP API: tokens, enrolments, notices, receipts, and the public log.

DESIGN sections 4 and 12. It parses, authenticates and answers; what happens is decided in
``notices`` and ``citizens``, whose errors ``problems`` turns into problem+json (RFC 9457).
"""
