"""Plan → apply → undo: one engine for every bulk act.

A module declares an `Act` in its `plans.py`. The engine gives each row a verdict in words (new, changed, same, refused), applies
the plan batch by batch with the data checked against it, keeps a receipt, and takes it back for thirty days; rows somebody
changed since are conflicts and left alone.
"""

from lms.core.plans.act import Act, Context, Field, Option, Row, State, acts_on, every_act, get_act, register
from lms.core.plans.doing import apply, do_now, make_from_ids, make_from_rows, make_from_table, replan, throw_away, undo
from lms.core.plans.rows import refused_lines
from lms.core.plans.running import actors_come_from, carry_on, forget, get_plan, take_up, topic_of

__all__ = [
    "Act",
    "Context",
    "Field",
    "Option",
    "Row",
    "State",
    "actors_come_from",
    "acts_on",
    "apply",
    "carry_on",
    "do_now",
    "every_act",
    "forget",
    "get_act",
    "get_plan",
    "make_from_ids",
    "make_from_rows",
    "make_from_table",
    "refused_lines",
    "register",
    "replan",
    "take_up",
    "throw_away",
    "topic_of",
    "undo",
]
