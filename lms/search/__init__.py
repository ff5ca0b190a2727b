"""Search: one read model over courses, lessons, people and vouchers, filled from facts after the commit, for page and palette.

It knows every module below it, and none knows it: what it holds can be thrown away and made again (`operations.rebuild`).
"""
