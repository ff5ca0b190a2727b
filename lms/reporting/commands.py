"""What `lms doctor` looks at of reporting: the figures of counted days."""

from lms.core.doctor import examines_each_channel
from lms.reporting.queries import daily_faults

examines_each_channel("Figures", daily_faults)
