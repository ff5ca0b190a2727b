"""Channels: the tenants, their hosts and look, and the people in them with their roles.

Knows accounts (auth); knows nothing of courses or money.
"""
