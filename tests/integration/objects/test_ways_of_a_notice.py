"""The ways of a notice are the same where packages lie apart: read, exchanged keys, delegates."""

from tests.integration.portal.test_delegates import (
    test_delegate_reads_old_and_new_notices_with_the_own_key,
    test_payload_is_the_same_for_citizen_and_delegate,
)
from tests.integration.portal.test_rotation import (
    test_headers_that_open_nothing_or_are_not_signed_are_refused,
    test_old_notices_stay_readable_and_are_acknowledged_by_the_new_key,
    test_rewrapping_goes_on_where_it_stopped,
)
from tests.integration.portal.test_whole_way import test_from_letter_to_verified_receipt

__all__ = [
    "test_delegate_reads_old_and_new_notices_with_the_own_key",
    "test_from_letter_to_verified_receipt",
    "test_headers_that_open_nothing_or_are_not_signed_are_refused",
    "test_old_notices_stay_readable_and_are_acknowledged_by_the_new_key",
    "test_payload_is_the_same_for_citizen_and_delegate",
    "test_rewrapping_goes_on_where_it_stopped",
]
