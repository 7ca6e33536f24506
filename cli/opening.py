"""Opening what a call is about: the log, and its policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compliance.errors import InputError

from .application import Call

if TYPE_CHECKING:
    from compliance.ledger.log import Log


def reading(call: Call) -> Log:
    """The log, with a reader's rights."""
    from compliance.ledger.log import Log

    return Log.open(call.database)


def writing(call: Call) -> Log:
    """The log, to append to."""
    from compliance.ledger.log import Log

    return Log.open(call.database, write=True)


def acting(call: Call) -> str:
    """Who acts; raises InputError where nobody was named."""
    if call.actor is None:
        raise InputError("who acts is not known", "Name your staff id with --actor ID or COMPLIANCE_ACTOR.")
    return call.actor


def name(call: Call) -> str:
    """The database as people may read it: without a password."""
    from compliance.ledger.database import place_of

    return place_of(call.database).name
