"""Logs: one JSON object a line; a constant event name and fields; ids, never people or secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET = re.compile(r"(?i)(password|secret|token|authorization|cookie|code|signature)")
MOST = 32_000  # characters of one field


def mask_secrets(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Fields whose names speak of secrets are shown as [masked]."""
    for key in fields:
        if SECRET.search(key) and key not in ("status_code", "error_code"):
            fields[key] = "[masked]"
    return fields


# A link that opens something to whoever holds it, and what a voucher's QR code asks for.
CAPABILITIES = (
    "content/files|content/parts|content/tracks|(?:content/watch|streaming/live)(?:/[0-9a-f-]{36}){2}|streaming/feeds|auth/invitations"
    "|notifications/unsubscribe|reporting/unsubscribe"
)
LINK = re.compile(rf"(/(?:{CAPABILITIES})/)[A-Za-z0-9_.=-]{{20,}}")
QUERY = re.compile(r"([?&](?:code|token|ticket|signature|X-Amz-[A-Za-z-]+)=)[^&\s\"']+")


def shorten(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A text without end keeps its beginning and its end: an error may carry megabytes, and whoever writes it down waits for them."""
    for key, value in fields.items():
        if isinstance(value, str) and len(value) > MOST:
            fields[key] = f"{value[: MOST // 2]} … {value[-MOST // 2 :]}"
    return fields


def mask_links(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Addresses keep their shape and lose what opens them."""
    for key, value in fields.items():
        if isinstance(value, str):
            fields[key] = masked(value)
    return fields


def masked(text: str) -> str:
    """A text in which links of capabilities and secret parameters are shown as [masked]."""
    return QUERY.sub(r"\1[masked]", LINK.sub(r"\1[masked]", text))


def one_record(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Control characters cannot start a second record."""
    for key, value in fields.items():
        if isinstance(value, str) and key != "exception":
            fields[key] = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", value)
    return fields


def configure(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error as JSON."""
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shorten,
            mask_secrets,
            mask_links,
            one_record,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
