"""Documents made of a receipt: the PDF and its pictures (DESIGN section 4, step 9).

They show what a receipt says; what it proves is checked by `siegelpost.evidence`, never here.
No store and no HTTP: a receipt's bytes go in, a document's bytes come out.
"""
