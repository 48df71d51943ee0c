"""Dispatch a notice that the agency has sealed on its own side (DESIGN section 5).

The same way as ``dispatch``, but nothing readable passes: the service looks at the sealed parts
from outside, commits and vouches for them. What only plaintext shows, the citizen's browser checks:
the manifest's signature, that manifest, cover and documents belong together, and that the documents
are those committed to.
"""

from __future__ import annotations

import asyncio
import hmac

from sqlalchemy import Connection, select

from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.agency_keys import has_own_key
from siegelpost.notices.circumstances import check_form
from siegelpost.notices.delivering import Dispatched, deliver
from siegelpost.notices.eligibility import Destination, Sender
from siegelpost.notices.errors import KeyChanged, KeyReused, Refusal, RefusalCode
from siegelpost.notices.limits import Limits
from siegelpost.notices.prepare import CommittedDocument, Prepared, SealedParts, record_notice
from siegelpost.notices.readers import NOTICE
from siegelpost.notices.reprovide import check_same_commitments, notice_before
from siegelpost.notices.runners import signing_runner
from siegelpost.notices.salts import mask
from siegelpost.notices.sealed_request import SealedRequest, check_notice_id, look_at_sealed
from siegelpost.sealing.outside import Outside
from siegelpost.store.blobs import split
from siegelpost.store.context import Context


async def dispatch_sealed(
    context: Context, limits: Limits, sender: Sender, request: SealedRequest
) -> Dispatched:
    """Deliver ``request``; what is returned is durable.

    Raises Refusal (for good; KeyChanged: seal again), KeyReused, StoreUnavailable.
    """
    cover, package = await asyncio.to_thread(look_at_sealed, request, limits)
    secrets = context.keyring.secrets(KeyPurpose.COMMITMENT)

    def check_same(digest: bytes) -> None:
        given = (request.digest(secret, cover, package) for secret in secrets)
        if not any(hmac.compare_digest(one, digest) for one in given):
            raise KeyReused("the idempotency key was used for another request")

    async def prepared(target: Destination) -> Prepared:
        if request.keys != {key for key, _ in target.keys}:
            raise KeyChanged("the mailbox has other keys now", enrolment_id=target.enrolment_id)
        check_notice_id(request.notice_id, context.now())
        check_form(
            request.circumstances,
            regime=request.regime,
            issued_at=request.issued_at,
            now=context.now(),
        )
        await context.store.read_briefly(
            lambda connection: _check(connection, sender, target, request)
        )
        sign = signing_runner(context.keyring, small=True)
        return await sign(_prepare, context, sender, target, request, cover, package)

    return await deliver(
        context,
        sender,
        enrolment_id=request.enrolment_id,
        idempotency_key=request.idempotency_key,
        check_same=check_same,
        prepare=prepared,
    )


def _check(
    connection: Connection, sender: Sender, target: Destination, request: SealedRequest
) -> None:
    if not has_own_key(connection, sender.agency_id):
        raise Refusal(RefusalCode.AGENCY_KEY_MISSING, "the agency has no manifest key of its own")
    taken = select(NOTICE.c.id).where(NOTICE.c.id == request.notice_id)
    if connection.execute(taken).one_or_none() is not None:
        raise Refusal(RefusalCode.NOTICE_ID, "the id is taken")
    if request.reprovides is not None:
        before = notice_before(connection, sender, target, request.reprovides)
        check_same_commitments(before, request.documents)


def _prepare(
    context: Context,
    sender: Sender,
    target: Destination,
    request: SealedRequest,
    cover: Outside,
    package: Outside,
) -> Prepared:
    secret = context.keyring.secret(KeyPurpose.COMMITMENT)
    return record_notice(
        sender,
        target,
        SealedParts(
            notice_id=request.notice_id,
            package=split([request.package]),
            package_digest=package.payload_digest,
            cover=request.cover,
            cover_digest=cover.payload_digest,
            documents=[
                CommittedDocument(
                    commitment=document.commitment,
                    salt=document.salt,
                    size=document.size,
                    mask=mask(secret, request.notice_id, index, document.salt),
                )
                for index, document in enumerate(request.documents)
            ],
            by_agency=True,
        ),
        request,
        request_digest=request.digest(secret, cover, package),
        acceptance_key=context.keyring.signer(KeyPurpose.ACCEPTANCE),
        now=context.now(),
        entropy=context.entropy,
        circumstances=request.circumstances,
        reprovides=request.reprovides,
    )
