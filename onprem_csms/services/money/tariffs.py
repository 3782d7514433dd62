"""Tariffs: stored price lists, and which one a connector charges by."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from onprem_csms.clock import from_text
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import tariffs
from onprem_csms.domain.money.tariffs import Tariff, tariff_from_json, tariff_to_json
from onprem_csms.errors import Conflict, NotFound
from onprem_csms.events import Event


@dataclass(frozen=True, slots=True)
class StoredTariff:
    """A tariff with its number; ``is_default`` where nothing else is named."""

    id: int
    name: str
    currency: str
    tariff: Tariff
    is_default: bool
    created_at: datetime
    updated_at: datetime


def create(tx: Tx, tariff: Tariff, *, is_default: bool = False) -> StoredTariff:
    """Store a tariff; the first one is the default, so that nobody charges for nothing by oversight."""
    first = tariffs.default(tx) is None
    tariff_id = tariffs.insert(tx, tariff.name, tariff.currency, _definition(tariff))
    if is_default or first:
        tariffs.make_default(tx, tariff_id)
    return _changed(tx, tariff_id)


def get(tx: Tx, tariff_id: int) -> StoredTariff:
    """Return a tariff; NotFound."""
    row = tariffs.by_id(tx, tariff_id)
    if row is None:
        raise NotFound("There is no tariff {id}.", id=tariff_id)
    return _stored(row)


def find(tx: Tx, after: int = 0, limit: int = 200) -> list[StoredTariff]:
    """Return tariffs in the order of their ids."""
    return [_stored(row) for row in tariffs.page(tx, after, limit)]


def change(tx: Tx, tariff_id: int, tariff: Tariff) -> StoredTariff:
    """Replace a tariff's prices; NotFound. Sessions keep the tariff they began with."""
    get(tx, tariff_id)
    tariffs.update(tx, tariff_id, tariff.name, tariff.currency, _definition(tariff))
    return _changed(tx, tariff_id)


def make_default(tx: Tx, tariff_id: int) -> StoredTariff:
    """Let this tariff hold wherever no other is named; NotFound."""
    get(tx, tariff_id)
    tariffs.make_default(tx, tariff_id)
    return _changed(tx, tariff_id)


def archive(tx: Tx, tariff_id: int) -> None:
    """Archive a tariff; NotFound, Conflict while it is in use or the default beside others."""
    stored = get(tx, tariff_id)
    users = tariffs.users(tx, tariff_id)
    if users:
        raise Conflict("This tariff is in use at {chargers}.", chargers=", ".join(users))
    if stored.is_default and tariffs.count(tx) > 1:
        raise Conflict("This is the default tariff. Make another one the default first.")
    tariffs.archive(tx, tariff_id)
    tx.emit(Event("tariff", str(tariff_id)))


def for_connector(tx: Tx, charger_id: str, connector: int) -> StoredTariff | None:
    """Return the connector's tariff, else its charger's, else the default; None when there is none."""
    known: StoredTariff | None = tariffs.OF_PLACES.get(tx, (charger_id, connector))
    if known is None:
        known = _for_connector(tx, charger_id, connector)
        if known is not None:
            tariffs.OF_PLACES.set(tx, (charger_id, connector), known)
    return known


def _for_connector(tx: Tx, charger_id: str, connector: int) -> StoredTariff | None:
    named = tariffs.by_connector(tx, charger_id, connector)
    row = None if named is None else tariffs.by_id(tx, named)
    row = row or tariffs.default(tx)
    return None if row is None else _stored(row)


def _changed(tx: Tx, tariff_id: int) -> StoredTariff:
    tx.emit(Event("tariff", str(tariff_id)))
    return get(tx, tariff_id)


def _definition(tariff: Tariff) -> str:
    return json.dumps(tariff_to_json(tariff), ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=256)
def _parsed(definition: str) -> Tariff:
    # Every start of a session asks for one of a few tariffs.
    return tariff_from_json(json.loads(definition))


def _stored(row: Row) -> StoredTariff:
    return StoredTariff(
        id=row["id"],
        name=row["name"],
        currency=row["currency"],
        tariff=_parsed(row["definition"]),
        is_default=bool(row["is_default"]),
        created_at=from_text(row["created_at"]),
        updated_at=from_text(row["updated_at"]),
    )
