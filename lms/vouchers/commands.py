"""What `lms doctor` examines of vouchers: uses, limits and the money they brought (I6)."""

from lms.core.doctor import examines_each_channel
from lms.vouchers.queries import voucher_faults

examines_each_channel("Vouchers", voucher_faults)
