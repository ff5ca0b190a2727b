"""Content: files people upload, what becomes of them, and who may play them for how long.

It owns assets, uploads in parts, checking, transcoding and signed delivery. It does not know courses, lessons or enrolments:
whoever shows an asset decides who may, and asks `queries.playback_of` for the addresses.
"""
