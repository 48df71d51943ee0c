"""Replies and the receipt's step 17, whatever became of the keys since."""

from __future__ import annotations

from siegelpost.evidence.verify import verify_receipt
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen
from tests.integration.portal.test_renewal import letter_for, renew
from tests.support.portal import PASSPHRASE
from tests.support.replies import Sender
from tests.support.reply_street import Street
from tests.support.rotation import rotate

CODE = new_recovery_code(bytes(range(27)))


async def test_replies_stay_proven_when_keys_are_exchanged_or_lost(street: Street) -> None:
    bob = await street.by_bob()

    async def proven(who: Citizen) -> str:
        await street.town.sequence()
        receipt = await who.receipt(street.notice)
        return verify_receipt(receipt, street.town.trust()).steps[16].result_en

    async def send(*senders: Sender) -> None:
        for sender in senders:
            await sender.send(await sender.make())

    await send(street.sender, bob)
    await rotate(street.alice, PASSPHRASE, CODE)
    assert (await proven(street.alice)).startswith("1 by the mailbox, signed with its key. 1 by ")
    await send(street.sender, bob)
    await rotate(bob.who, PASSPHRASE, CODE)
    await send(bob)
    assert (await proven(street.alice)).startswith("2 by the mailbox, signed with its key. 3 by ")
    # All is lost: what was sent before counts on, and what is sent now goes by the new key.
    alice = await renew(street.town, await letter_for(street.town, street.letter))
    await alice.load("/inbox")
    await send(Sender(who=alice, notice=street.notice))
    assert (await proven(alice)).startswith("3 by the mailbox, signed with its key. 3 by ")
