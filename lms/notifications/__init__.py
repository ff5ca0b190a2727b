"""Notifications: who is told what, in the app and by mail, exactly once, and as each person wishes.

It hears everybody and is known to nobody: what is worth telling arrives as facts.
"""
