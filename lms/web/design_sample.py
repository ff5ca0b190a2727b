"""What the design page shows: one invented academy, as the plain data the ui/ macros take. No database, no request."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from lms.web.charts import bar_chart, line_chart, sparkline

DAYS = [f"{day} Nov" for day in range(1, 15)]
COURSES = [
    ("Foundations of Data Literacy", "DATA-101 · Maya Okafor", "Published", "success", 1284, 78, "2,200 EGP"),
    ("Workplace Safety and Compliance", "HSE-210 · Jonas Weber", "Published", "success", 3410, 94, "Free"),
    ("Python for Analysts", "PY-150 · Lin Zhao", "Draft", "neutral", 0, 0, "3,600 EGP"),
    ("Leading Remote Teams", "LEAD-320 · Amira Haddad", "Scheduled", "info", 212, 41, "2,900 EGP"),
    ("Data Protection in Practice", "GDPR-110 · Piet de Vries", "In review", "warning", 0, 0, "1,100 EGP"),
    ("Negotiation, for people who hate it", "NEG-200 · Sofia Marin", "Archived", "outline", 655, 100, "1,900 EGP"),
]


def tiles() -> list[dict[str, Any]]:
    """Four figures with their lines."""
    wave = [40 + 8 * math.sin(i / 2) + i * 2.1 for i in range(14)]
    return [
        {"label": "Active students", "value": "12,486", "trend": "+8.2%", "good": True, "spark": sparkline(wave)},
        {
            "label": "Revenue, 30 days",
            "value": "482,100 EGP",
            "trend": "+12.5%",
            "good": True,
            "spark": sparkline([v * 1.3 - i for i, v in enumerate(wave)]),
        },
        {"label": "Completion", "value": "71.4%", "trend": "−1.3%", "good": False, "spark": sparkline([90 - v * 0.7 for v in wave])},
        {
            "label": "Vouchers redeemed",
            "value": "1,204",
            "trend": "+64",
            "good": True,
            "spark": sparkline([3, 4, 4, 9, 12, 11, 18, 20, 19, 27]),
        },
    ]


def charts() -> dict[str, Any]:
    """One of each kind of chart."""
    enrolments = [22, 28, 26, 35, 33, 41, 39, 47, 52, 49, 58, 63, 61, 70]
    return {
        "line": line_chart("Enrolments", DAYS, [("Enrolments", enrolments)], head="Day", height=260),
        "lines": line_chart(
            "Watched and finished lessons",
            DAYS,
            [("Watched", [v * 3 for v in enrolments]), ("Finished", [v * 2 - 9 for v in enrolments])],
            head="Day",
        ),
        "bars": bar_chart(
            "Income by source", DAYS[:8], [("Vouchers", [9, 12, 7, 14, 13, 18, 12, 20]), ("Cards", [4, 5, 9, 6, 8, 7, 11, 10])], head="Day"
        ),
        "spark": sparkline([3, 5, 4, 8, 7, 12]),
    }


def navigation() -> list[dict[str, Any]]:
    """The back office's navigation as an admin sees it."""
    groups: list[tuple[str, list[tuple[str, str, str, int | None]]]] = [
        (
            "Overview",
            [("Dashboard", "layout-dashboard", "g d", None), ("Inbox", "inbox", "g i", 7), ("Reports", "chart-column", "g r", None)],
        ),
        ("Teaching", [("Courses", "book-open", "g c", None), ("Live", "radio", "g l", None), ("Moderation", "shield-check", "g m", 2)]),
        ("People", [("Students", "users", "g s", None), ("Instructors", "graduation-cap", "g t", None)]),
        ("Money", [("Vouchers", "ticket", "g v", None), ("Wallets", "wallet", "g w", None), ("Orders", "receipt", "g o", None)]),
        ("Channel", [("Settings", "settings", "g e", None), ("System", "server", "g y", None)]),
    ]
    return [
        {
            "title": title,
            "items": [
                {"title": name, "href": "#", "icon": icon, "active": name == "Courses", "badge": badge, "key": key, "live": ""}
                for name, icon, key, badge in items
            ],
        }
        for title, items in groups
    ]


def lessons() -> list[dict[str, Any]]:
    """A section of a course in every state a lesson can be in."""
    return [
        {"title": "Welcome, and how this course works", "href": "#", "kind": "video", "state": "done", "length": "4:12"},
        {
            "title": "Reading a chart without being fooled",
            "href": "#",
            "kind": "video",
            "state": "current",
            "length": "12:40",
            "note": "Watched 7 of 12 minutes",
        },
        {"title": "Means, medians and the missing middle", "href": "#", "kind": "text", "state": "todo", "length": "8 min"},
        {"title": "Check yourself", "href": "#", "kind": "quiz", "state": "todo", "length": "10 questions"},
        {"title": "Ask Maya anything", "kind": "live", "state": "locked", "note": "Opens on 28 November"},
    ]


def history() -> list[dict[str, Any]]:
    """What happened to a course, newest first."""
    return [
        {
            "icon": "circle-check",
            "who": "Root",
            "what": "published the course",
            "when": "today at 09:12",
            "iso": "2026-11-20T09:12:00Z",
        },
        {
            "icon": "pencil",
            "who": "Ada",
            "what": "changed the price",
            "when": "yesterday at 17:40",
            "iso": "2026-11-19T17:40:00Z",
            "changes": [("Price", "1,900 EGP", "2,200 EGP"), ("Seats", None, "200")],
        },
        {"icon": "plus", "who": "Ada", "what": "created the course", "when": "3 November", "iso": "2026-11-03T08:00:00Z"},
    ]


def month() -> list[dict[str, Any]]:
    """Two weeks of a month with classes that were, are and will be."""
    entries = {
        4: [{"text": "Question hour", "note": "17:00", "href": "#", "tone": "over"}],
        9: [{"text": "Reading a chart together", "note": "10:30", "href": "#", "tone": "live"}],
        11: [
            {"text": "Question hour", "note": "17:00", "href": "#"},
            {"text": "Office hour", "note": "18:30", "href": "#", "tone": "off"},
        ],
    }
    return [
        {
            "date": f"2026-11-{day:02d}",
            "label": str(day),
            "long": f"{day} November",
            "today": day == 9,
            "other": day == 2,
            "entries": entries.get(day, []),
        }
        for day in range(2, 16)
    ]


def chat() -> dict[str, Any]:
    """Lines and questions of a chat in every state: plain, an answer, a question, a deleted one, the reader's own, with signs."""
    at = datetime(2026, 11, 9, 17, 4, tzinfo=UTC)

    def line(seq: int, name: str, text: str, **more: Any) -> dict[str, Any]:
        plain = {"author_role": "student", "is_deleted": False, "is_question": False, "reply": None}
        return {"seq": seq, "author_id": name, "author_name": name, "text": text, "posted_at": at, **plain, **more}

    def asked(seq: int, text: str, votes: int, **more: Any) -> dict[str, Any]:
        return {
            "seq": seq,
            "author_name": "Lin Zhao",
            "text": text,
            "votes": votes,
            "answer": "",
            "answered_at": None,
            "mine": False,
            **more,
        }

    return {
        "signs": ["👍", "❤️", "😂"],
        "lines": [
            line(1, "Maya Okafor", "Good evening everybody. Can you hear me?", author_role="instructor"),
            line(2, "Lin Zhao", "Yes, loud and clear.", reply={"seq": 1, "name": "Maya Okafor", "text": "Good evening everybody."}),
            line(3, "Jonas Weber", "Why may one subtract a whole equation?", is_question=True),
            line(4, "Amira Haddad", "", is_deleted=True),
            line(5, "Ada", "That was the missing piece for me, thank you."),
        ],
        "marks": {3: [("👍", 4, True), ("❤️", 1, False)]},
        "asked": [
            asked(3, "Why may one subtract a whole equation?", 4, mine=True),
            asked(7, "Is zero a number?", 2, answer="It is, and an even one.", answered_at=at),
        ],
    }


def sample() -> dict[str, Any]:
    """Everything the design page reads as `sample`."""
    return {
        "tiles": tiles(),
        "charts": charts(),
        "courses": [dict(zip(("title", "sub", "state", "tone", "students", "done", "price"), row, strict=True)) for row in COURSES],
        "icons": [
            "book-open",
            "users",
            "ticket",
            "wallet",
            "radio",
            "award",
            "upload",
            "shield-check",
            "chart-line",
            "mail",
            "settings",
            "qr-code",
        ],
        "lessons": lessons(),
        "history": history(),
        "month": month(),
        "chat": chat(),
    }
