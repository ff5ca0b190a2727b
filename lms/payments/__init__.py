"""Payments: orders with their frozen price, how each was paid, what was given back, and the revenue that is left.

It owns orders; it does not know what access they buy (enrolments hear OrderPaid), and moves money through the wallet alone.
"""
