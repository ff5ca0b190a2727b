"""Accounts of people: sign-up, sign-in, one-time codes, sessions, invitations and API tokens.

Knows nothing of channels' roles; a person is a member elsewhere, an account here.
"""
