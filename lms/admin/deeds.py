"""What the audit log calls the acts of the frame: bulk acts, jobs, the audit log itself."""

from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l

COUNTS = {
    "row_count": Label(_l("Rows")),
    "applied_count": Label(_l("Applied")),
    "refused_count": Label(_l("Refused")),
    "conflict_count": Label(_l("Left alone")),
    "undone_count": Label(_l("Taken back")),
}

register(
    Deeds(
        "plans",
        _l("Bulk acts"),
        {
            "plans.apply": Deed(_l("applied the bulk act"), "layers"),
            "plans.undo": Deed(_l("took the bulk act back"), "undo-2"),
            "plans.discard": Deed(_l("threw the plan away"), "trash-2"),
        },
        {"plans": Thing(_l("Bulk act"), "/admin/plans/{id}")},
        COUNTS,
    )
)
register(
    Deeds(
        "bin",
        _l("Bin"),
        {"bin.purge": Deed(_l("deleted for good"), "trash-2")},
        {"bin": Thing(_l("Thing in the bin"), "/admin/bin/{id}")},
    )
)
register(
    Deeds(
        "admin",
        _l("System"),
        {
            "admin.retry_job": Deed(_l("tried the job again"), "refresh-cw"),
            "admin.retry_mail": Deed(_l("sent the mail once more"), "mail"),
            "admin.check_audit": Deed(_l("checked the chain of the audit log"), "shield-check"),
        },
        {
            "outbox": Thing(_l("Job"), "/admin/system/jobs/{id}"),
            "mails": Thing(_l("Mail"), "/admin/system/mail/{id}"),
            "audit": Thing(_l("Audit log"), "/admin/audit"),
        },
        {
            "state": Label(_l("State"), values={"failed": _l("Refused"), "withheld": _l("Not sent"), "queued": _l("Queued")}),
            "seq": Label(_l("Up to entry")),
            "faults": Label(_l("Differences")),
        },
    )
)
