"""Publish and subscribe through Redis, so that several processes share what happens now: one subscriber per process.

What is published is a hint, never the only copy: whoever listens is told each time the subscription is made anew, and then
asks PostgreSQL what it missed. A listener in the publishing process hears at once, with or without Redis.
"""

import random
import threading
import time
from typing import Protocol

import structlog

from lms.core.ids import token
from lms.core.redis import RedisError, redis

IDLE_SECONDS = 10.0
log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Hears what is published to a topic; the same payload may arrive twice, and late."""

    def heard(self, payload: bytes) -> None:
        """Take one payload; quick, and without waiting."""

    def subscribed(self) -> None:
        """The subscription stands, for the first time or again: what was published before it may be missing."""


class Silence(RedisError):
    """The subscription's connection gives no sign of life."""


class Subscriber:
    """The one subscription of a process; its thread starts with the first listener."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, tuple[Listener, ...]] = {}
        self._ready: dict[str, threading.Event] = {}
        self._bell = ""
        self._thread: threading.Thread | None = None

    def listen(self, topic: str, listener: Listener, *, seconds: float = 3.0) -> bool:
        """Hear a topic from now on; true once Redis has confirmed it, false when that takes too long (it is tried for ever)."""
        with self._lock:
            others = tuple(one for one in self._listeners.get(topic, ()) if one is not listener)
            self._listeners[topic] = (*others, listener)
            ready = self._ready.setdefault(topic, threading.Event())
            if self._thread is None:
                self._bell = f"bell:{token()}"
                self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)
                self._thread.start()
        self._ring()
        return ready.wait(seconds)

    def forget(self, topic: str) -> None:
        """Hear a topic no longer, whoever listened."""
        with self._lock:
            self._listeners.pop(topic, None)
            self._ready.pop(topic, None)
        self._ring()

    def hear(self, topic: str, payload: bytes) -> None:
        """Give a payload to those who listen to the topic in this process."""
        for listener in self._listeners.get(topic, ()):
            try:
                listener.heard(payload)
            except Exception:
                log.exception("listener_failed", topic=topic.partition(":")[0])

    def _ring(self) -> None:
        """Wake the subscriber, so that one thread alone touches the subscription's connection."""
        try:
            redis().publish(self._bell, b"")
        except RedisError as error:
            log.warning("bell_unheard", error=type(error).__name__)

    def _run(self) -> None:
        while True:
            try:
                self._converse()
            except (RedisError, OSError) as error:
                log.warning("subscription_lost", error=type(error).__name__)
            for ready in list(self._ready.values()):
                ready.clear()
            time.sleep(random.uniform(0.2, 1.0))  # noqa: S311  spreads processes, guards nothing

    def _converse(self) -> None:
        pubsub = redis(blocking=True).pubsub()  # type: ignore[no-untyped-call]
        try:
            pubsub.subscribe(self._bell)
            have: set[str] = set()
            asked = False
            while True:
                have = self._agree(pubsub, have)
                message = pubsub.get_message(timeout=IDLE_SECONDS)
                if message is None:
                    if asked:
                        raise Silence("no answer to a ping")
                    pubsub.ping()
                    asked = True
                    continue
                asked = False
                self._take(message)
        finally:
            pubsub.close()

    def _agree(self, pubsub: "object", have: set[str]) -> set[str]:
        """Subscribe to what is wanted and not had, and the other way round."""
        with self._lock:
            want = set(self._listeners)
        if want - have:
            pubsub.subscribe(*sorted(want - have))  # type: ignore[attr-defined]
        if have - want:
            pubsub.unsubscribe(*sorted(have - want))  # type: ignore[attr-defined]
        return want

    def _take(self, message: dict[str, object]) -> None:
        channel = message["channel"]
        topic = channel.decode() if isinstance(channel, bytes) else str(channel)
        if message["type"] == "message" and topic != self._bell:
            data = message["data"]
            assert isinstance(data, bytes)
            self.hear(topic, data)
        elif message["type"] == "subscribe" and topic in self._listeners:
            for listener in self._listeners[topic]:
                try:
                    listener.subscribed()
                except Exception:
                    log.exception("listener_failed", topic=topic.partition(":")[0])
            if ready := self._ready.get(topic):
                ready.set()


subscriber = Subscriber()


def publish(topic: str, payload: bytes) -> None:
    """Tell every process that listens; those in this one hear it first, and hear it also when Redis is away."""
    subscriber.hear(topic, payload)
    try:
        redis().publish(topic, payload)
    except RedisError as error:
        log.warning("publish_failed", topic=topic.partition(":")[0], error=type(error).__name__)
