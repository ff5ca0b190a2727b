"""Files in an S3 bucket (AWS, R2, MinIO and their kind) by boto3, with the store's own signed addresses (signature v4)."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit
from uuid import UUID

import boto3
import structlog
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from lms.config import S3
from lms.core.errors import Unavailable
from lms.core.i18n import gettext as _
from lms.core.storage.keys import (
    CHUNK,
    COLD,
    MAX_PARTS,
    PART_SIZE,
    Missing,
    Part,
    Stored,
    Stretch,
    WrongPart,
    checked_key,
    checked_upload,
    disposition,
    type_of,
    whole,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PUT_IN_PARTS = 64 << 20
PART_BYTES = 16 << 20
COPY_BYTES = 512 << 20
ARCHIVED = "InvalidObjectState"
ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
log = structlog.get_logger(__name__)


class S3Storage:
    """The store of an install with a bucket."""

    def __init__(self, settings: S3) -> None:
        self.bucket = settings.bucket
        self.client: S3Client = boto3.session.Session().client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            config=ClientConfig(
                signature_version="s3v4",
                connect_timeout=2,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if settings.endpoint_url else "virtual"},
            ),
        )

    def put(self, key: str, data: bytes | BinaryIO, content_type: str = "") -> Stored:
        """Store the bytes under the key, all or nothing; big ones go in parts."""
        checked_key(key)
        source: BinaryIO = io.BytesIO(data) if isinstance(data, bytes) else data
        kind = content_type or type_of(key)
        head = _read(source, PUT_IN_PARTS)
        if len(head) < PUT_IN_PARTS:
            with _answers():
                self.client.put_object(Bucket=self.bucket, Key=key, Body=head, ContentType=kind)
            return Stored(len(head), hashlib.sha256(head).hexdigest())
        return self._put_long(key, head, source, kind)

    def put_file(self, key: str, path: Path, content_type: str = "") -> Stored:
        """Store a file of this machine under the key."""
        with path.open("rb") as source:
            return self.put(key, source, content_type)

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        """A reader of the file, or of `length` bytes from `start`; close it."""
        checked_key(key)
        if length == 0:
            return io.BytesIO()
        wanted: dict[str, Any] = {}
        if start or length is not None:
            wanted["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
        with _answers():
            body = self.client.get_object(Bucket=self.bucket, Key=key, **wanted)["Body"]
        return cast(BinaryIO, Stretch(cast(BinaryIO, body), None))

    def fetch(self, key: str, path: Path) -> Stored:
        """Copy the file to a path of this machine."""
        digest, size = hashlib.sha256(), 0
        with self.open(key) as source, path.open("wb") as target, _answers():
            while data := source.read(CHUNK):
                size += len(data)
                digest.update(data)
                target.write(data)
        return Stored(size, digest.hexdigest())

    def size(self, key: str) -> int:
        """How many bytes the file has."""
        with _answers():
            return self.client.head_object(Bucket=self.bucket, Key=checked_key(key))["ContentLength"]

    def exists(self, key: str) -> bool:
        """Whether there is a file under the key."""
        try:
            self.size(key)
        except Missing:
            return False
        return True

    def copy(self, key: str, target: str, tell: Callable[[], None] = lambda: None) -> None:
        """Have the file under a second key as well; the bucket copies it, a big one in parts."""
        size, source = self.size(key), {"Bucket": self.bucket, "Key": key}
        if size <= COPY_BYTES:
            with _answers():
                self.client.copy_object(Bucket=self.bucket, Key=checked_key(target), CopySource=cast(Any, source))
            return
        upload_id = self.begin(target, type_of(key))
        try:
            for number, start in enumerate(range(0, size, COPY_BYTES), 1):
                part = f"bytes={start}-{min(start + COPY_BYTES, size) - 1}"
                with _answers():
                    self.client.upload_part_copy(
                        Bucket=self.bucket,
                        Key=target,
                        UploadId=upload_id,
                        PartNumber=number,
                        CopySource=cast(Any, source),
                        CopySourceRange=part,
                    )
                tell()
            self.complete(target, upload_id)
        except BaseException:
            self.abort(target, upload_id)
            raise

    def delete(self, key: str) -> None:
        """Take the file away; taking away what is not there changes nothing."""
        with _answers():
            self.client.delete_object(Bucket=self.bucket, Key=checked_key(key))

    def delete_all(self, prefix: str) -> None:
        """Take away every file under `prefix/`."""
        self._delete_below(f"{checked_key(prefix)}/")

    def delete_channel(self, channel_id: UUID) -> None:
        """Take away every file of a channel."""
        self._delete_below(f"{channel_id}/")
        self._delete_below(f"{COLD}/{channel_id}/")

    def _delete_below(self, prefix: str) -> None:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        with _answers():
            for page in pages:
                found = [{"Key": item["Key"]} for item in page.get("Contents", [])]
                if found:
                    self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": cast(Any, found), "Quiet": True})

    def get_url(
        self, key: str, seconds: int = 300, filename: str | None = None, inline: bool = False, content_type: str | None = None
    ) -> str:
        """A signed address that gives this file to whoever holds it, for that long; a download unless `inline`."""
        wanted = {
            "Bucket": self.bucket,
            "Key": checked_key(key),
            "ResponseContentDisposition": disposition(filename, inline=inline),
            "ResponseContentType": content_type or type_of(key),
        }
        with _answers():
            return self.client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)

    def begin(self, key: str, content_type: str = "", part_size: int = PART_SIZE) -> str:
        """Start an upload in parts; its id. A bucket holds the parts to no size of ours."""
        checked_key(key)
        with _answers():
            return self.client.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type or type_of(key))["UploadId"]

    def part_url(self, key: str, upload_id: str, number: int, size: int, seconds: int = 3600) -> str:
        """A signed address that takes one PUT body of exactly `size` bytes as part `number` (from 1): the length is signed too."""
        if not 1 <= number <= MAX_PARTS:
            raise WrongPart("A file has at most 10,000 parts.", rule="parts")
        wanted = {
            "Bucket": self.bucket,
            "Key": checked_key(key),
            "UploadId": checked_upload(upload_id),
            "PartNumber": number,
            "ContentLength": size,
        }
        with _answers():
            return self.client.generate_presigned_url("upload_part", Params=wanted, ExpiresIn=seconds)

    def put_part(self, key: str, upload_id: str, number: int, stream: BinaryIO, size: int) -> Part:
        """Take one part of exactly `size` bytes; sending it again replaces it."""
        data = _read(stream, size)
        if len(data) != size:
            raise WrongPart("The connection broke off inside this part. Send it again.", rule="part")
        with _answers():
            answer = self.client.upload_part(Bucket=self.bucket, Key=checked_key(key), UploadId=upload_id, PartNumber=number, Body=data)
        return Part(number, size, answer["ETag"])

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts received so far, by number; raises Missing when the upload is not open."""
        pages = self.client.get_paginator("list_parts").paginate(
            Bucket=self.bucket, Key=checked_key(key), UploadId=checked_upload(upload_id)
        )
        with _answers():
            return [Part(item["PartNumber"], item["Size"], item["ETag"]) for page in pages for item in page.get("Parts", [])]

    def complete(self, key: str, upload_id: str) -> Stored:
        """Make one file of parts 1 to n; done again it changes nothing."""
        try:
            ordered = whole(self.parts(key, upload_id))
        except Missing:
            return Stored(self.size(key), "")
        made = {"Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in ordered]}
        with _answers():
            self.client.complete_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id, MultipartUpload=cast(Any, made))
        return Stored(sum(part.size for part in ordered), "")

    def abort(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; forgetting twice changes nothing."""
        try:
            with _answers():
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=checked_key(key), UploadId=checked_upload(upload_id))
        except Missing:
            return

    def origins(self) -> tuple[str, ...]:
        """The origin of the bucket's signed addresses."""
        return (self._origin,)

    @cached_property
    def _origin(self) -> str:
        parts = urlsplit(self.client.generate_presigned_url("head_bucket", Params={"Bucket": self.bucket}, ExpiresIn=1))
        return f"{parts.scheme}://{parts.netloc}"

    def let_pages_in(self, origins: list[str]) -> None:
        """Set the bucket's CORS rules, so that pages of these origins may send parts and play media."""
        rule = {"AllowedOrigins": origins, "AllowedMethods": ["GET", "HEAD", "PUT"], "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"]}
        with _answers():
            self.client.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [cast(Any, {**rule, "MaxAgeSeconds": 3600})]})

    def _put_long(self, key: str, head: bytes, source: BinaryIO, kind: str) -> Stored:
        upload_id = self.begin(key, kind)
        digest, size, number, rest = hashlib.sha256(), 0, 0, io.BytesIO(head)

        def next_part() -> bytes:
            data = rest.read(PART_BYTES)
            return data + _read(source, PART_BYTES - len(data))

        try:
            while data := next_part():
                number += 1
                size += len(data)
                digest.update(data)
                self.put_part(key, upload_id, number, io.BytesIO(data), len(data))
            self.complete(key, upload_id)
        except BaseException:
            self.abort(key, upload_id)
            raise
        return Stored(size, digest.hexdigest())


@contextmanager
def _answers() -> Iterator[None]:
    """Turn the client's own errors into ours: absent, or not answering."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in ABSENT:
            raise Missing("This file is no longer here.") from error
        if code == ARCHIVED:
            raise Unavailable(
                _("This file lies in an archive of the bucket. Restore it there, then try again."), rule="archived"
            ) from error
        log.warning("storage_refused", code=code)
        raise Unavailable(_("The file store does not answer right now. Try again in a minute."), rule="storage") from error
    except BotoCoreError as error:
        log.warning("storage_silent", error=type(error).__name__)
        raise Unavailable(_("The file store does not answer right now. Try again in a minute."), rule="storage") from error


def _read(source: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes, less only at the end."""
    pieces: list[bytes] = []
    while size and (data := source.read(size)):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)
