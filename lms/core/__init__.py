"""The kernel: database, tenancy, events, jobs, decisions, reports, audit, storage, mail, money, clock, errors.

Knows no module and nothing of HTTP; every module stands on it.
"""
