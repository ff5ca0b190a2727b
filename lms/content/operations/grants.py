"""Grants to play: renewed while somebody watches, shut when their right ends."""

from collections.abc import Sequence
from uuid import UUID

from lms.content import gateways, queries
from lms.core.decisions import Actor
from lms.core.tenancy import current_channel


def renew_grant(asset_id: UUID, viewer: Actor) -> None:
    """Let a viewer whose right was just checked go on playing; heartbeats call it."""
    who = queries.viewer_key(viewer)
    if who:
        gateways.grants().open(current_channel(), asset_id, who, viewer.user_id)


def revoke_grants(user_id: UUID, asset_ids: Sequence[UUID] | None = None) -> int:
    """End a person's playing of these assets (None: of all) at once, in every browser; the number of grants shut."""
    return gateways.grants().shut(current_channel(), user_id, None if asset_ids is None else list(asset_ids))
