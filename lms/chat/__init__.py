"""Chat beside live classes: rooms keyed by session, messages in order, who is here, and who may speak.

PostgreSQL keeps every message; Redis holds the last 200 of a room, who is present, and carries what happens to every process.
It does not know what a session teaches, nor what happens to a reported message afterwards.
"""
