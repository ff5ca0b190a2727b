"""What `lms doctor` examines of payments: paid orders against the ledger (I5)."""

from lms.core.doctor import examines_each_channel
from lms.payments.queries import payment_faults

examines_each_channel("Orders", payment_faults)
