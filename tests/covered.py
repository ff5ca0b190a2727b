"""What the whole suite did not reach of `lms/`, told before pytest's last line; slipcover measures it (`scripts/test`)."""

import io
import json
import os
from pathlib import Path

import pytest
from slipcover import print_coverage


def report(reporter: pytest.TerminalReporter) -> None:
    """Say what no worker reached, file by file, and the share of lines and branches; nothing when nothing was measured."""
    folder = os.environ.get("SLIPCOVER_COVERAGE_DIR", "")
    merged = Path(folder) / "merged.json"
    if not folder or "PYTEST_XDIST_WORKER" in os.environ or not merged.exists():
        return
    seen = json.loads(merged.read_text())
    table = io.StringIO()
    print_coverage(seen, outfile=table, skip_covered=True, missing_width=60)
    reporter.section("coverage")
    reporter.write_line(table.getvalue().strip())
    reporter.write_line(f"Lines and branches reached: {seen['summary']['percent_covered']:.1f} % of lms/ (90 % at least)")
