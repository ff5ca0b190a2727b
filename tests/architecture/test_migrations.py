"""What a migration may do to tables that people are using: nothing that holds them up or takes away what the release before reads (T104)."""

import re
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parents[2].joinpath("migrations/versions").glob("*.py"))
MADE = re.compile(r"(?:tenant_table|platform_table)\(\s*\"([\w.]+)\"|CREATE TABLE (?:IF NOT EXISTS )?([\w.]+)", re.IGNORECASE)
INDEXED = re.compile(r"CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(?:\w+ )?ON ([\w.]+)", re.IGNORECASE)
CONSTRAINED = re.compile(r"ALTER TABLE ([\w.]+)[^\";]*?ADD CONSTRAINT \w+((?:[^\"]|\"\s*(?:f?\"))*)", re.IGNORECASE)
ADDED = re.compile(r"ADD COLUMN \w+ [^,\"]*?NOT NULL(?![^,\"]*DEFAULT)(?![^,\"]*GENERATED)", re.IGNORECASE)
NEVER = {
    "takes away what the release before reads": re.compile(r"DROP (?:COLUMN|TABLE|SCHEMA)\b|\bRENAME\b", re.IGNORECASE),
    "writes the whole table anew": re.compile(
        r"ALTER COLUMN \w+ (?:SET DATA )?TYPE|DEFAULT (?:gen_random_uuid|clock_timestamp|random)\(", re.IGNORECASE
    ),
    "reads the whole table under its lock": re.compile(r"SET NOT NULL", re.IGNORECASE),
    "locks a table by name": re.compile(r"LOCK TABLE", re.IGNORECASE),
    "gives a role more than its own": re.compile(r"BYPASSRLS|SUPERUSER|TO lms_owner|NO FORCE|DISABLE (?:ROW LEVEL|TRIGGER)", re.IGNORECASE),
}
# Made before the first release, while no install held rows of anybody; whatever comes now keeps to the rules.
BEFORE_ANY_RELEASE = """
0017_voucher_kinds 0020_refunds 0029_trail 0031_paces 0032_stock_reports 0036_dates 0038_pinned_views 0039_cancelled_downloads 0040_until 0042_course_batches
0043_series 0045_takes 0047_requests 0051_uploads 0053_lots 0057_link_batches 0060_batch_classes 0065_completed_of_course 0066_hires 0068_receipt_numbers
"""
WAIVED = {
    **dict.fromkeys(BEFORE_ANY_RELEASE.split(), "no install held rows yet"),
    "0067_words_per_language": "no install held rows yet; the rows of every channel are given a language, which takes the owner past their wall",
}


def faults(text: str, old: set[str]) -> list[str]:
    """What the upgrade of a migration does amiss to tables that were there before it."""
    upgrade = text.split("def downgrade")[0]
    found = [f"an index on {table} is made under its lock" for held, table in INDEXED.findall(upgrade) if not held and table in old]
    found += [
        f"a constraint of {table} is checked under its lock"
        for table, rest in CONSTRAINED.findall(upgrade)
        if table in old and "NOT VALID" not in rest
    ]
    found += [words for words, pattern in NEVER.items() if pattern.search(upgrade)]
    return found + ["a column without a default"] * bool(ADDED.search(upgrade))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_upgrade__holds_nobody_up_and_takes_nothing_away(file: Path) -> None:
    earlier = "".join(one.read_text().split("def downgrade")[0] for one in FILES if one.stem < file.stem)
    old = {name for names in MADE.findall(earlier) for name in names if name}
    wrong = faults(file.read_text(), old)
    if file.stem in WAIVED:
        assert wrong, f"{file.stem} needs no waiver any more"
    else:
        assert not wrong, f"{file.name}: {wrong}; mend it, or write a waiver with its reason"


@pytest.mark.parametrize(
    "bad",
    [
        'sql("CREATE INDEX ix ON core.audit (at)")',
        'sql("ALTER TABLE core.audit ADD CONSTRAINT ck CHECK (at > now())")',
        'sql("ALTER TABLE core.audit ADD COLUMN x text NOT NULL")',
        'sql("ALTER TABLE core.audit DROP COLUMN at")',
        'sql("ALTER TABLE core.audit ALTER COLUMN at TYPE date")',
        'sql("ALTER TABLE core.audit ALTER COLUMN at SET NOT NULL")',
        'sql("LOCK TABLE core.audit")',
        'sql("ALTER ROLE lms_app BYPASSRLS")',
    ],
)
def test_faults__can_be_found(bad: str) -> None:
    assert faults(bad, {"core.audit"})
