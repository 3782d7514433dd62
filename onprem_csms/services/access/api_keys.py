"""Keys for programs that use the HTTP API."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from onprem_csms.db.access import api_keys
from onprem_csms.db.access.api_keys import ApiKeyRecord
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.access.rights import ROLES, Role
from onprem_csms.errors import Invalid, NotFound, Unauthenticated
from onprem_csms.services.core import audit

# So that a key that leaked into a text is recognised as one.
PREFIX = "csms_"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; ``role`` is what it may do."""

    id: int
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made; ``secret`` is told this once."""

    key: ApiKey
    secret: str


def create(tx: Tx, name: str, role: str) -> NewApiKey:
    """Make a key; Invalid without a name or for an unknown role."""
    if not name.strip():
        raise Invalid("A key needs a name that says who uses it.", path="name")
    if role not in ROLES:
        raise Invalid("The role must be admin, desk or viewer.", path="role")
    secret = PREFIX + secrets.token_urlsafe(32)
    key_id = api_keys.insert(tx, name.strip(), role, _digest(secret))
    audit.note(tx, "api-key.created", name.strip(), role=role)
    return NewApiKey(get(tx, key_id), secret)


def get(tx: Tx, key_id: int) -> ApiKey:
    """Return a key, revoked or not; NotFound."""
    record = api_keys.by_id(tx, key_id)
    if record is None:
        raise NotFound("There is no API key {id}.", id=key_id)
    return _key(record)


def find(tx: Tx) -> list[ApiKey]:
    """Return every key, revoked ones too."""
    return [_key(record) for record in api_keys.all_of(tx)]


def authenticate(tx: Tx, secret: str) -> ApiKey:
    """Return the key of this secret; Unauthenticated when there is none or it was revoked."""
    record = api_keys.by_digest(tx, _digest(secret))
    if record is None:
        raise Unauthenticated("This API key is not known here.")
    return _key(record)


def revoke(tx: Tx, key_id: int) -> ApiKey:
    """End a key for good; NotFound."""
    if get(tx, key_id).revoked_at is None:
        api_keys.revoke(tx, key_id)
        audit.note(tx, "api-key.revoked", get(tx, key_id).name)
    return get(tx, key_id)


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash.
    return sha256(b"api key " + secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(record: ApiKeyRecord) -> ApiKey:
    return ApiKey(*record)
