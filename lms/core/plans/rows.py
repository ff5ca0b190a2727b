"""Rows of a plan on their way to and from the database, a batch in one statement."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lms.core import db
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import Plan
from lms.core.plans.act import Act, Field, Row
from lms.core.reports.files import safe_text
from lms.core.tenancy import current_channel

BATCH = 1_000
INSERT = text(
    """
    INSERT INTO core.plan_rows (channel_id, id, plan_id, number, subject_id, label, key, verdict, reason, before, after, source)
    SELECT :channel, r.id, :plan, r.number, r.subject_id, r.label, r.key, r.verdict, r.reason, r.before, r.after, r.source
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id uuid, number bigint, subject_id uuid, label text, key text, verdict text,
        reason text, before jsonb, after jsonb, source jsonb)
    """
)
PLANNED = text(
    """
    UPDATE core.plan_rows p SET subject_id = r.subject_id, label = r.label, key = r.key, verdict = r.verdict, reason = r.reason,
        before = r.before, after = r.after, result = ''
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (number bigint, subject_id uuid, label text, key text, verdict text, reason text,
        before jsonb, after jsonb)
    WHERE p.channel_id = :channel AND p.plan_id = :plan AND p.number = r.number AND p.number BETWEEN :first AND :last
    """
)
DONE = text(
    """
    UPDATE core.plan_rows p SET subject_id = r.subject, result = r.result, reason = r.reason
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (number bigint, subject uuid, result text, reason text)
    WHERE p.channel_id = :channel AND p.plan_id = :plan AND p.number = r.number AND p.number BETWEEN :first AND :last
    """
)
LOAD = """
    SELECT number, subject_id, label, key, verdict, reason, before, after, {source} AS source, result FROM core.plan_rows
    WHERE channel_id = :channel AND plan_id = :plan AND number > :place AND {which} ORDER BY number LIMIT :most
"""
LOADS = {
    "all": text(LOAD.format(which="true", source="source")),
    "to_apply": text(LOAD.format(which="verdict IN ('new', 'changed')", source="NULL")),
    "applied": text(LOAD.format(which="result = 'applied'", source="NULL")),
}
REFUSED = text(
    """
    SELECT number, label, reason, source FROM core.plan_rows WHERE channel_id = :channel AND plan_id = :plan
      AND (verdict = 'refused' OR result IN ('refused', 'conflict')) ORDER BY number
    """
)
KEYS = text("SELECT key, number FROM core.plan_rows WHERE channel_id = :channel AND plan_id = :plan AND number <= :place AND key <> ''")


def load(plan: Plan, act: Act, which: str, most: int) -> list[Row]:
    """The next rows of a kind (all, to_apply, applied) after the plan's place; what they were given is read for planning alone."""
    found = db.session().execute(LOADS[which], {**_of(plan), "place": plan.place, "most": most}).all()
    known = act.known_fields() if which == "all" else {}
    return [
        Row(
            number=row.number,
            given=given(known, plan.columns, row.source) if which == "all" else {},
            subject_id=row.subject_id,
            label=row.label,
            key=row.key,
            verdict=row.verdict,
            reason=row.reason,
            before=row.before,
            after=row.after,
            cells=row.source or [],
            result=row.result,
        )
        for row in found
    ]


def keys_of(plan: Plan) -> dict[str, int]:
    """What the rows up to the plan's place are about, each with its number: what makes a later row the second of its kind."""
    return {row.key: row.number for row in db.session().execute(KEYS, {**_of(plan), "place": plan.place})}


def given(known: Mapping[str, Field], columns: Sequence[Any], cells: Sequence[str]) -> dict[str, str]:
    """The cells of a line by the fields they belong to; empty ones are left out."""
    made = {}
    for column, cell in zip(columns, cells, strict=False):
        if cell and column["field"]:
            field = known.get(column["field"])
            made[column["field"]] = field.read(cell) if field else cell
    return made


def insert(plan: Plan, rows: Sequence[Row]) -> None:
    """Write new rows, planned or not."""
    values = [{"id": str(uuid7()), "source": row.cells, **_planned(row)} for row in rows]
    db.session().execute(INSERT, {**_of(plan), "rows": json.dumps(values, ensure_ascii=False)})


def update_planned(plan: Plan, rows: Sequence[Row]) -> None:
    """Write the verdicts of rows that are there."""
    values = json.dumps([_planned(row) for row in rows], ensure_ascii=False)
    db.session().execute(PLANNED, {**_of(plan), "rows": values, "first": rows[0].number, "last": rows[-1].number})


def update_done(plan: Plan, rows: Sequence[Row]) -> None:
    """Write what became of rows."""
    values = [
        {"number": row.number, "subject": str(row.subject_id) if row.subject_id else None, "result": row.result, "reason": row.reason}
        for row in rows
    ]
    bounds = {"first": rows[0].number, "last": rows[-1].number}
    db.session().execute(DONE, {**_of(plan), **bounds, "rows": json.dumps(values, ensure_ascii=False)})


def refused_lines(plan: Plan) -> Iterator[str]:
    """The CSV of the rows that were refused or left alone, in pieces: as they came, and the reason of each."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    headings = [column["heading"] for column in plan.columns] or [_("Which")]
    buffer.write("\ufeff")
    writer.writerow([*(safe_text(heading) for heading in headings), _("Reason"), _("Line")])
    for row in db.session().execute(REFUSED, _of(plan), execution_options={"yield_per": BATCH}):
        cells = row.source if plan.columns else [row.label]
        padded = [*cells, *[""] * (len(headings) - len(cells))]
        writer.writerow([*(safe_text(cell) for cell in padded), row.reason, row.number])
        if buffer.tell() > 50_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _of(plan: Plan) -> dict[str, UUID]:
    return {"channel": current_channel(), "plan": plan.id}


def _planned(row: Row) -> dict[str, Any]:
    return {
        "number": row.number,
        "subject_id": str(row.subject_id) if row.subject_id else None,
        "label": row.label,
        "key": row.key,
        "verdict": row.verdict,
        "reason": row.reason,
        "before": row.before,
        "after": row.after,
    }
