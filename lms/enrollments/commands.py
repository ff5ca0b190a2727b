"""What `lms doctor` examines of enrolments: no batch has more people than seats, and each counts them right (I15)."""

from lms.core.doctor import examines_each_channel
from lms.enrollments.queries import batch_faults

examines_each_channel("Batches", batch_faults)
