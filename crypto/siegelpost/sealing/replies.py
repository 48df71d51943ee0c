"""What a reply's package may hold: a text, and files.

Not here yet: the package itself.
"""

#: Characters of the text, at least one.
MAX_TEXT = 10_000
#: Files beside it.
MAX_FILES = 10
#: Bytes of all documents together, the text among them.
MAX_DOCUMENTS_SIZE = 20 * 1024 * 1024
