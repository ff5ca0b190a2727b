"""Reporting: saved views of every list, mails on a schedule, downloads, and the figures of each day.

It reads everybody and is known to nobody. The lists themselves are declared by the modules whose rows they show.
"""
