"""The database key and those who may open it: the machine and the recovery key.

A random key encrypts the file. It is wrapped (AES key wrap, RFC 3394) once for a key file that
only the machine's user can read and once for the recovery key that a person is shown once. A failed
unwrap says that the key is wrong, not that the database is damaged.
"""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from onprem_csms.db.engine import private
from onprem_csms.db.engine.connection import KEY_BYTES, SqlError, as_store_error, open_raw
from onprem_csms.db.engine.lock import locked
from onprem_csms.db.engine.migrate import migrate
from onprem_csms.errors import Conflict, Invalid, StoreError

DATABASE = "csms.db"
WRAPPED = "keys.json"
MACHINE_KEY = "machine.key"
RECOVERY_BYTES = 20
CHECK_CHARACTERS = 4
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def _to_nobody(recovery_key: str) -> None:
    """Show nothing: the caller takes what ``create`` returns."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where the files of one installation are."""

    folder: Path

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.folder / DATABASE

    @property
    def wrapped(self) -> Path:
        """The wrapped keys."""
        return self.folder / WRAPPED

    @property
    def machine_key(self) -> Path:
        """The machine's key: given by systemd's LoadCredential, else in the folder itself."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        given = Path(credentials) / MACHINE_KEY if credentials else None
        return given if given is not None and given.exists() else self.folder / MACHINE_KEY


def create(folder: DataFolder, show: Callable[[str], None] = _to_nobody) -> str:
    """Make a new installation and return its recovery key; Conflict where one is already, StoreError, OSError.

    ``show`` is given the key before the last step: a kill leaves no installation whose key nobody has seen.
    The database is made under another name and moved into place last; as long as it has that name, everything
    here is what an interrupted ``create`` left, and the next one begins anew.
    """
    private.make_folder(folder.folder)
    with locked(folder.folder):
        if folder.database.exists():
            raise Conflict("There is already a database at {file}.", file=str(folder.database))
        if not is_new(folder):
            raise StoreError(_no_database(folder))
        return _create(folder, show)


def is_new(folder: DataFolder) -> bool:
    """Tell whether the folder holds nothing of an installation, or only what an interrupted ``create`` left."""
    return not _present(folder)


def _present(folder: DataFolder) -> list[Path]:
    """Return what is there of an installation; empty after an interrupted ``create``."""
    if _fresh(folder).exists() and not folder.database.exists():
        return []
    fixed = (folder.database, folder.wrapped, folder.machine_key)
    beside = (one for one in folder.folder.glob("csms.*") if not one.name.startswith(_fresh(folder).name))
    return [path for path in (*fixed, *sorted(beside)) if path.exists()]


def _fresh(folder: DataFolder) -> Path:
    return folder.database.with_suffix(".db.new")


def _create(folder: DataFolder, show: Callable[[str], None]) -> str:
    key, machine, recovery = (secrets.token_bytes(n) for n in (KEY_BYTES, KEY_BYTES, RECOVERY_BYTES))
    fresh, shown = _fresh(folder), spell(recovery)
    # In this order: without the unfinished database the rest would look like an installation that lost its own.
    for leftover in (
        folder.wrapped,
        folder.folder / MACHINE_KEY,
        *folder.folder.glob(f"{fresh.name}?*"),
        fresh,
    ):
        private.remove(leftover)
    private.make_empty(fresh)
    _make_database(fresh, key)
    private.write(folder.folder / MACHINE_KEY, machine.hex().encode() + b"\n")
    wrapped = {"machine": _wrap(machine, key), "recovery": _wrap(_stretch(recovery), key)}
    private.write(folder.wrapped, json.dumps({"format": 1, "wrapped": wrapped}, indent=1).encode() + b"\n")
    show(shown)
    fresh.replace(folder.database)
    private.flush_names(folder.folder)
    return shown


def _make_database(file: Path, key: bytes) -> None:
    raw = open_raw(file, key, read_only=False)
    try:
        migrate(raw, file)
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except SqlError as error:
        raise as_store_error(error, file) from error
    finally:
        raw.close()


def unlock(folder: DataFolder) -> bytes:
    """Return the database key by the machine's key, the folder closed to others; StoreError with a sentence."""
    if not folder.database.exists():
        raise StoreError(_no_database(folder))
    if not folder.database.stat().st_size:
        # SQLite takes an empty file for a new database, and the money would be gone without a word.
        message = f"The database {folder.database} is empty. Restore a backup; nothing was changed."
        raise StoreError(message)
    private.close_folder(folder.folder)
    private.close_files(folder.folder)
    try:
        machine = bytes.fromhex(private.read(folder.machine_key).strip())
    except (OSError, ValueError) as error:
        message = (
            f"The machine's key {folder.machine_key} can't be read ({error}). "
            "Put it back, or use the recovery key: onprem-csms recover. The database is untouched."
        )
        raise StoreError(message) from error
    return _unwrap(folder, "machine", machine)


def _no_database(folder: DataFolder) -> str:
    there = _present(folder)
    if there:
        return f"There is no database in {folder.folder}, but {there[0].name}. Restore a backup; nothing was changed."
    return f"There is no database in {folder.folder}. Run init first, or check the data folder."


def recover(folder: DataFolder, recovery: str) -> None:
    """Make a new machine key by the recovery key; Invalid when that is mistyped or not this database's."""
    given, wrapped = _stretch(read_spelled(recovery)), _wrapped(folder, "recovery")
    try:
        key = aes_key_unwrap(given, wrapped)
    except (InvalidUnwrap, ValueError) as error:
        raise Invalid("The recovery key is not the one of this database.", path="recovery_key") from error
    machine = secrets.token_bytes(KEY_BYTES)
    document = json.loads(private.read(folder.wrapped))
    document["wrapped"]["machine"] = _wrap(machine, key)
    private.write(folder.folder / MACHINE_KEY, machine.hex().encode() + b"\n")
    private.write(folder.wrapped, json.dumps(document, indent=1).encode() + b"\n")


def renew_recovery(folder: DataFolder) -> str:
    """Make a new recovery key and return it; the one before opens nothing any more. StoreError with a sentence."""
    key, recovery = unlock(folder), secrets.token_bytes(RECOVERY_BYTES)
    document = json.loads(private.read(folder.wrapped))
    document["wrapped"]["recovery"] = _wrap(_stretch(recovery), key)
    private.write(folder.wrapped, json.dumps(document, indent=1).encode() + b"\n")
    return spell(recovery)


def spell(secret: bytes) -> str:
    """Write a secret in Crockford's base32 with check characters, in groups of four."""
    number = int.from_bytes(secret, "big")
    digits = [_CROCKFORD[(number >> shift) & 31] for shift in range(0, len(secret) * 8, 5)]
    text = "".join(reversed(digits)) + _check(secret)
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def read_spelled(text: str) -> bytes:
    """Read what ``spell`` wrote, forgiving case, blanks, dashes and look-alikes; Invalid when mistyped."""
    bare = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
    body, check = bare[:-CHECK_CHARACTERS], bare[-CHECK_CHARACTERS:]
    if len(body) != RECOVERY_BYTES * 8 // 5 or any(letter not in _CROCKFORD for letter in bare):
        raise Invalid("A recovery key has nine groups of four letters and digits.", path="recovery_key")
    number = 0
    for letter in body:
        number = number * 32 + _CROCKFORD.index(letter)
    secret = number.to_bytes(RECOVERY_BYTES, "big")
    if _check(secret) != check:
        raise Invalid("The recovery key has a typing error.", path="recovery_key")
    return secret


def _check(secret: bytes) -> str:
    digest = int.from_bytes(sha256(b"recovery" + secret).digest()[:4], "big")
    return "".join(_CROCKFORD[(digest >> shift) & 31] for shift in (15, 10, 5, 0))


def _stretch(recovery: bytes) -> bytes:
    # 160 random bits need no slow hash, only the length that the wrap wants.
    return sha256(b"onprem-csms recovery" + recovery).digest()


def _why(error: Exception) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else "it does not hold wrapped keys"


def _wrap(wrapping: bytes, key: bytes) -> str:
    return aes_key_wrap(wrapping, key).hex()


def _unwrap(folder: DataFolder, name: str, wrapping: bytes) -> bytes:
    wrapped = _wrapped(folder, name)
    try:
        return aes_key_unwrap(wrapping, wrapped)
    except (InvalidUnwrap, ValueError) as error:
        message = "The machine's key is not the one of this database. The database is untouched."
        raise StoreError(message) from error


def _wrapped(folder: DataFolder, name: str) -> bytes:
    try:
        document = json.loads(private.read(folder.wrapped))
        return bytes.fromhex(document["wrapped"][name])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        message = (
            f"The file {folder.wrapped} is missing or damaged ({_why(error)}). Restore it from a backup."
        )
        raise StoreError(message) from error
