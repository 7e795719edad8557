"""What changes the bank. Everything takes the clock as ``now``."""

from seawall.exchange.operations.closing import close_hours, erase_expired, forget_events
from seawall.exchange.operations.counter import start_generation
from seawall.exchange.operations.deliveries import acknowledge, hand_out
from seawall.exchange.operations.entries import Accepted, EntryConflict, submit, withdraw, withdraw_again
from seawall.exchange.operations.feedback import (
    FoundHash,
    Opinion,
    Outcome,
    Report,
    submit_found,
    take_feedback,
    take_opinions,
)
from seawall.exchange.operations.handed import note_deliveries, note_fetch
from seawall.exchange.operations.partners import (
    PartnerExists,
    UnknownKey,
    UnknownPartner,
    UnknownPlatform,
    add_partner,
    give_frames,
    revoke_key,
    rotate_keys,
)

__all__ = [
    "Accepted",
    "EntryConflict",
    "FoundHash",
    "Opinion",
    "Outcome",
    "PartnerExists",
    "Report",
    "UnknownKey",
    "UnknownPartner",
    "UnknownPlatform",
    "acknowledge",
    "add_partner",
    "close_hours",
    "erase_expired",
    "forget_events",
    "give_frames",
    "hand_out",
    "note_deliveries",
    "note_fetch",
    "revoke_key",
    "rotate_keys",
    "start_generation",
    "submit",
    "submit_found",
    "take_feedback",
    "take_opinions",
    "withdraw",
    "withdraw_again",
]
