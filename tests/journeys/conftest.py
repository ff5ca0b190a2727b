"""What the journeys stand on: real files in a store of the test's own, and small films."""

from tests.content.conftest import films, store

__all__ = ["films", "store"]
