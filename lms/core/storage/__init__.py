"""Files: one gateway, two stores behind it (a local folder, an S3 bucket), the same words for both.

`storage()` is the store of this process. Keys begin with the channel's id, are made by us and never by people; nobody
reads a file but by a signed address or through this gateway.
"""

from importlib import import_module

from lms.config import Config
from lms.core.storage.disk import FileGrant, LocalStorage, PartGrant
from lms.core.storage.keys import (
    Missing,
    Part,
    Storage,
    Stored,
    TooLarge,
    WrongKey,
    WrongPart,
    checked_key,
    cold,
    disposition,
    is_cold,
    type_of,
)

__all__ = [
    "FileGrant",
    "LocalStorage",
    "Missing",
    "Part",
    "PartGrant",
    "Storage",
    "Stored",
    "TooLarge",
    "WrongKey",
    "WrongPart",
    "checked_key",
    "cold",
    "disposition",
    "is_cold",
    "make_storage",
    "storage",
    "type_of",
    "use_storage",
]

_store: list[Storage] = []


def make_storage(config: Config) -> Storage:
    """The store the settings describe: the bucket when one is set, else a folder under the home."""
    if config.s3 is None:
        return LocalStorage(config.storage_dir)
    # boto3 takes a fifth of a second and 30 MB: only an install with a bucket pays for it.
    bucket: Storage = import_module("lms.core.storage.bucket").S3Storage(config.s3)
    return bucket


def use_storage(made: Storage) -> None:
    """Make this the store of the process: `use_storage(make_storage(config))`."""
    _store[:] = [made]


def storage() -> Storage:
    """The store of this process; raises RuntimeError before `use_storage`."""
    if not _store:
        raise RuntimeError("no storage: create_app() or a test says where files are kept")
    return _store[0]
