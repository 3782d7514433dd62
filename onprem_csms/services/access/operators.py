"""Those who run the site: who they are, what they may do, how they sign in."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from hmac import compare_digest

from onprem_csms.db.access import operators as db
from onprem_csms.db.access.operators import OperatorRecord
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.access.rights import Deed, Role, may
from onprem_csms.domain.access.tries import Trying
from onprem_csms.domain.secrets import choose_password, hash_password, verify_password
from onprem_csms.errors import Conflict, Invalid, NotFound, Unauthenticated
from onprem_csms.services.core import audit, devices, logins, tries
from onprem_csms.services.core.audit import Change
from onprem_csms.services.core.context import Context, Transactions
from onprem_csms.services.core.hashing import in_thread
from onprem_csms.services.core.logins import SignedIn

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Operator:
    """Someone who signs in to the operators' site; ``language`` is empty until chosen."""

    id: int
    name: str
    role: Role
    language: str
    created_at: datetime
    disabled_at: datetime | None

    def may(self, deed: Deed) -> bool:
        """Tell whether this operator may do a deed."""
        return may(self.role, deed)


@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator to add; the password is plain and leaves the memory hashed only."""

    name: str
    password: str
    role: Role = "admin"
    language: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Someone wants to sign in, from a network address; ``device`` is the cookie of a browser that did before."""

    name: str
    password: str
    address: str
    device: str = ""


# --- Adding and changing ------------------------------------------------------------------------------------


async def add(ctx: Transactions, new: NewOperator) -> int:
    """Add an operator; returns the id. Invalid with the field, Conflict when the name is taken."""
    hashed = await _hashed(new)
    return await ctx.write(create, hashed)


def create(tx: Tx, new: NewOperator) -> int:
    """Add an operator whose ``password`` is already a hash (``domain.secrets``)."""
    if db.by_name(tx, new.name) is not None:
        raise Conflict("There is already an operator of this name.", path="name")
    operator_id = db.insert(tx, new.name, new.password, new.role, new.language)
    audit.note(tx, "operator.added", new.name, role=new.role)
    return operator_id


def find(tx: Tx) -> list[Operator]:
    """Return every operator, those at work first."""
    return [_operator(record) for record in db.find(tx)]


def get(tx: Tx, operator_id: int) -> Operator:
    """Return an operator; NotFound."""
    record = db.get(tx, operator_id)
    if record is None:
        raise NotFound("There is no such operator.")
    return _operator(record)


def by_name(tx: Tx, name: str) -> Operator:
    """Return an operator by name; NotFound."""
    record = db.by_name(tx, name)
    if record is None:
        raise NotFound("There is no operator of the name {name}.", name=name)
    return _operator(record)


async def set_password(ctx: Transactions, operator_id: int, password: str) -> None:
    """Give an operator a new password; every browser of theirs is signed out. Invalid when it is too short."""
    hashed = await in_thread("operator", choose_password, password)
    await ctx.write(store_password, operator_id, hashed)


def store_password(tx: Tx, operator_id: int, hashed: str) -> None:
    """Keep a password's hash and sign the operator's browsers out."""
    operator = get(tx, operator_id)
    db.set_password(tx, operator_id, hashed)
    end_access(tx, operator_id)
    audit.note(tx, "operator.password", operator.name)


def set_role(tx: Tx, operator_id: int, role: Role) -> None:
    """Give an operator another role; every browser of theirs is signed out. Conflict for the last admin."""
    operator = get(tx, operator_id)
    if role != "admin":
        _keep_an_admin(tx, operator)
    db.set_role(tx, operator_id, role)
    end_access(tx, operator_id)
    audit.note(tx, "operator.role", operator.name, role=Change(operator.role, role))


def end_access(tx: Tx, operator_id: int) -> None:
    """Sign every browser of an operator out and end the streams they read: disabled, another role or password."""
    logins.end_all(tx, logins.Owner("operator", operator_id))


def set_language(tx: Tx, operator_id: int, language: str) -> None:
    """Remember the language an operator reads."""
    db.set_language(tx, operator_id, language)


def disable(tx: Tx, operator_id: int) -> None:
    """Keep an operator out from now on; Conflict for the last admin."""
    operator = get(tx, operator_id)
    _keep_an_admin(tx, operator)
    db.set_disabled(tx, operator_id, disabled=True)
    end_access(tx, operator_id)
    audit.note(tx, "operator.disabled", operator.name)


def _keep_an_admin(tx: Tx, operator: Operator) -> None:
    if operator.role == "admin" and operator.disabled_at is None and db.count_admins(tx) == 1:
        raise Conflict("This is the last admin who can sign in. Add another admin first.")


def enable(tx: Tx, operator_id: int) -> None:
    """Let an operator in again."""
    db.set_disabled(tx, operator_id, disabled=False)
    audit.note(tx, "operator.enabled", get(tx, operator_id).name)


# --- Signing in ---------------------------------------------------------------------------------------------


async def sign_in(ctx: Context, attempt: Attempt) -> SignedIn:
    """Return the secrets of a new sign-in.

    Unauthenticated in the same time whether the name exists or not; Forbidden after too many wrong tries,
    except from a browser that was signed in before (see ``domain.access.tries``).
    """
    name = attempt.name.strip()[:LONGEST_NAME]
    record = await ctx.read(db.by_name, name)
    device = "" if record is None else await ctx.read(devices.recognise, _owner(record.id), attempt.device)
    trying = Trying("operator", name, attempt.address, device)
    await ctx.read(tries.check, trying)
    await ctx.write(tries.begin, trying)
    hashed = None if record is None else record.password_hash
    right = await in_thread("operator", _matches, hashed, attempt.password)
    if record is None or not right or record.disabled_at is not None:
        await ctx.write(audit.note, "operator.sign-in-refused", name)
        raise Unauthenticated("Name and password don't match.")
    actor = replace(actor_of(_operator(record)), channel=ctx.actor.channel, address=attempt.address)
    return await ctx.acting(actor).write(_begin, record.id, trying, attempt.device)


def _begin(tx: Tx, operator_id: int, trying: Trying, device: str) -> SignedIn:
    tries.right(tx, trying)
    audit.note(tx, "operator.sign-in", get(tx, operator_id).name)
    secret = logins.begin(tx, logins.Owner("operator", operator_id))
    return SignedIn(secret, devices.remember(tx, _owner(operator_id), device))


def _owner(operator_id: int) -> str:
    return f"operator:{operator_id}"


def actor_of(operator: Operator) -> Actor:
    """Return an operator as the one who acts."""
    return Actor("operator", operator.name, str(operator.id), operator.role)


def _matches(hashed: str | None, password: str) -> bool:
    return verify_password(_nobody() if hashed is None else hashed, password)


async def change_own_password(ctx: Context, attempt: Attempt, password: str) -> str:
    """Replace the password of someone who knows it; returns the secret of a new sign-in, all others end.

    Raises what ``sign_in`` raises, and Invalid for a new password that is too short.
    """
    signed_in_now = await sign_in(ctx, attempt)
    login = await ctx.read(logins.find, signed_in_now.secret)
    if login is None or login.owner.operator_id is None:
        raise Unauthenticated("Name and password don't match.")
    await set_password(ctx, login.owner.operator_id, password)
    return await ctx.write(logins.begin, login.owner)


def signed_in(tx: Tx, secret: str) -> tuple[Operator, bool] | None:
    """Return the operator of a cookie and whether the sign-in is due to be prolonged; None for nobody."""
    login = logins.find(tx, secret)
    if login is None or login.owner.operator_id is None:
        return None
    operator = get(tx, login.owner.operator_id)
    return None if operator.disabled_at else (operator, login.due)


# --- First set-up -------------------------------------------------------------------------------------------


def setup_link(tx: Tx) -> str | None:
    """Return a fresh one-time secret for ``/setup/…`` while there is no operator; earlier ones end."""
    if db.find(tx):
        return None
    secret = secrets.token_urlsafe(24)
    db.set_setup_digest(tx, logins.digest(secret))
    return secret


def check_setup_link(tx: Tx, secret: str) -> None:
    """Raise NotFound unless the set-up link is the one that is out."""
    known = db.setup_digest(tx)
    if known is None or not compare_digest(known, logins.digest(secret)):
        raise NotFound("This set-up link is used up or was replaced by a newer one.")


async def set_up(ctx: Transactions, secret: str, new: NewOperator) -> str:
    """Make the first admin by the one-time link and sign them in; returns the sign-in's secret."""
    await ctx.read(check_setup_link, secret)
    hashed = await _hashed(replace(new, role="admin"))
    return await ctx.write(_set_up, secret, hashed)


def _set_up(tx: Tx, secret: str, new: NewOperator) -> str:
    check_setup_link(tx, secret)
    db.set_setup_digest(tx, None)
    return logins.begin(tx, logins.Owner("operator", create(tx, new)))


# ------------------------------------------------------------------------------------------------------------


async def _hashed(new: NewOperator) -> NewOperator:
    name = " ".join(new.name.split())
    if not name or len(name) > LONGEST_NAME:
        raise Invalid("A name has 1 to {longest} characters.", path="name", longest=LONGEST_NAME)
    return replace(new, name=name, password=await in_thread("operator", choose_password, new.password, name))


@cache
def _nobody() -> str:
    """Return the hash that a wrong name is checked against, so that it takes as long as a right one."""
    return hash_password(secrets.token_urlsafe())


def _operator(record: OperatorRecord) -> Operator:
    return Operator(
        id=record.id,
        name=record.name,
        role=record.role,
        language=record.language,
        created_at=record.created_at,
        disabled_at=record.disabled_at,
    )
