"""Vouchers: batches of codes that are handed out once and redeemed into wallets, and the trail of every code.

It owns batches, codes, redemptions and their trail; it does not know what people buy with the money.
"""
