"""A letterbox for demo and development: takes every mail and shows it on a page.

Never for production: it binds to loopback addresses only, keeps mails in memory, and asks nobody
who they are.
"""

from siegelpost.letterbox.letterbox import Letter, Letterbox, run_letterbox

__all__ = ["Letter", "Letterbox", "run_letterbox"]
