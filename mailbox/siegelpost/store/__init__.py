"""Tables, transactions, log sequencing, outbox, blobs and checks of the database.

Store functions take an open connection and never commit;
use cases own the transaction through :class:`siegelpost.store.store.Store`.
"""
