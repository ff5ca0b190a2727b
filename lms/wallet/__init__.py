"""The wallet: a double-entry ledger of everything people hold and spend in a channel, and the balances it adds up to.

It owns accounts, transactions, entries and their seals; it does not know what was bought or where a voucher came from.
"""
