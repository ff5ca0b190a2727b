"""The demo: an academy that never was, made by the platform's own operations, and removed with all it left behind.

It is made in three transactions: `begin_demo` opens the channel closed to visitors, `tell_demo` plays ninety days in it, `finish_demo`
opens its doors. What stops half-way is found by the next `begin_demo` and removed.
"""

from lms.admin.operations.demo.opening import Demo, begin_demo, finish_demo
from lms.admin.operations.demo.removal import remove_demo
from lms.admin.operations.demo.story import tell_demo

__all__ = ["Demo", "begin_demo", "finish_demo", "remove_demo", "tell_demo"]
