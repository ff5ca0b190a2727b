"""Payments: orders with their frozen price, and how each was paid.

It owns orders; it does not know what access they buy (enrolments hear OrderPaid), and moves money through the wallet alone.
"""
