"""The database key and those who may open it: the machine and the recovery key.

A random key encrypts the file. It is wrapped (AES key wrap, RFC 3394) once for a key file that
only the machine's user can read and once for the recovery key that is shown at ``init``. A failed
unwrap says that the key is wrong, not that the database is damaged.
"""

import json
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from onprem_csms.db.engine.connection import KEY_BYTES, open_raw
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


def create(folder: DataFolder) -> str:
    """Make a new installation and return its recovery key; Conflict where one is already.

    The database is made under another name and moved into place last: an interrupted ``init`` leaves
    nothing that looks like an installation, and can be repeated.
    """
    folder.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(folder.folder):
        if not is_new(folder):
            there = folder.database if folder.database.exists() else folder.wrapped
            raise Conflict("There is already a database at {file}.", file=str(there))
        return _create(folder)


def is_new(folder: DataFolder) -> bool:
    """Tell whether the folder holds no installation, or only what an interrupted ``create`` left."""
    return not folder.database.exists() and (_fresh(folder).exists() or not folder.wrapped.exists())


def _fresh(folder: DataFolder) -> Path:
    return folder.database.with_suffix(".db.new")


def _create(folder: DataFolder) -> str:
    key, machine, recovery = (secrets.token_bytes(n) for n in (KEY_BYTES, KEY_BYTES, RECOVERY_BYTES))
    for leftover in folder.folder.glob(f"{DATABASE}.new*"):
        leftover.unlink()
    fresh = _fresh(folder)
    raw = open_raw(fresh, key, read_only=False)
    migrate(raw, fresh)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    raw.close()
    _write_private(folder.folder / MACHINE_KEY, machine.hex().encode() + b"\n")
    wrapped = {"machine": _wrap(machine, key), "recovery": _wrap(_stretch(recovery), key)}
    _write_private(folder.wrapped, json.dumps({"format": 1, "wrapped": wrapped}, indent=1).encode() + b"\n")
    fresh.replace(folder.database)
    _flush_names(folder.folder)
    return spell(recovery)


def unlock(folder: DataFolder) -> bytes:
    """Return the database key by the machine's key; StoreError with a sentence when that fails."""
    if not folder.database.exists():
        message = f"There is no database in {folder.folder}. Run init first, or check the data folder."
        raise StoreError(message)
    if not folder.database.stat().st_size:
        # SQLite takes an empty file for a new database, and the money would be gone without a word.
        message = f"The database {folder.database} is empty. Restore a backup; nothing was changed."
        raise StoreError(message)
    try:
        machine = bytes.fromhex(folder.machine_key.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        message = (
            f"The machine's key {folder.machine_key} can't be read ({error}). "
            "Put it back, or use the recovery key: onprem-csms recover. The database is untouched."
        )
        raise StoreError(message) from error
    return _unwrap(folder, "machine", machine)


def recover(folder: DataFolder, recovery: str) -> None:
    """Make a new machine key by the recovery key; Invalid when that is mistyped or not this database's."""
    try:
        key = _unwrap(folder, "recovery", _stretch(read_spelled(recovery)))
    except StoreError as error:
        raise Invalid("The recovery key is not the one of this database.", path="recovery_key") from error
    machine = secrets.token_bytes(KEY_BYTES)
    document = json.loads(folder.wrapped.read_text(encoding="utf-8"))
    document["wrapped"]["machine"] = _wrap(machine, key)
    _write_private(folder.folder / MACHINE_KEY, machine.hex().encode() + b"\n")
    _write_private(folder.wrapped, json.dumps(document, indent=1).encode() + b"\n")


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


def _wrap(wrapping: bytes, key: bytes) -> str:
    return aes_key_wrap(wrapping, key).hex()


def _unwrap(folder: DataFolder, name: str, wrapping: bytes) -> bytes:
    try:
        document = json.loads(folder.wrapped.read_text(encoding="utf-8"))
        wrapped = bytes.fromhex(document["wrapped"][name])
    except (OSError, ValueError, KeyError) as error:
        message = f"The file {folder.wrapped} is missing or damaged. Restore it from a backup."
        raise StoreError(message) from error
    try:
        return aes_key_unwrap(wrapping, wrapped)
    except (InvalidUnwrap, ValueError) as error:
        message = "The machine's key is not the one of this database. The database is untouched."
        raise StoreError(message) from error


def _write_private(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    _flush_names(path.parent)


def _flush_names(folder: Path) -> None:
    """Have the names of a folder's files on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
