"""The WebSocket door of chat: /ws/chat/rooms/<id>, served by the gevent socket process."""

from lms.chat.sockets.door import bp

__all__ = ["bp"]
