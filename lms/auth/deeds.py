"""What the audit log calls the acts of accounts: signing in, passwords, codes."""

from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l

ACTS = {
    "auth.register": Deed(_l("made an account"), "user-plus"),
    "auth.sign_in": Deed(_l("signed in"), "log-in"),
    "auth.sign_out": Deed(_l("signed out"), "log-out"),
    "auth.password": Deed(_l("chose a new password"), "lock"),
    "auth.invite": Deed(_l("sent an invitation"), "mail"),
    "auth.accept_invitation": Deed(_l("accepted the invitation"), "badge-check"),
    "auth.api_sign_in": Deed(_l("signed in a program"), "log-in"),
    "auth.api_sign_out": Deed(_l("signed out a program"), "log-out"),
    "auth.refresh_replayed": Deed(_l("used a key of a program twice, which ended its access"), "triangle-alert"),
    "auth.app_on": Deed(_l("turned on the authenticator app"), "shield-check"),
    "auth.app_off": Deed(_l("turned off the authenticator app"), "shield"),
    "auth.recovery_codes": Deed(_l("made new recovery codes"), "shield"),
    "auth.recovery_code_used": Deed(_l("used a recovery code"), "shield"),
    "auth.passkey_added": Deed(_l("made a passkey"), "key"),
    "auth.passkey_removed": Deed(_l("removed a passkey"), "key"),
    "auth.prove": Deed(_l("proved again who they are"), "shield-check"),
    "auth.edit_self": Deed(_l("changed their own profile"), "pencil"),
}

register(
    Deeds(
        "auth",
        _l("Accounts and sign-in"),
        ACTS,
        {
            "users": Thing(_l("Person"), "/admin/channels/people/{id}"),
            "sessions": Thing(_l("Sign-in")),
            "refresh_tokens": Thing(_l("Access of a program")),
        },
        {"name": Label(_l("Name")), "locale": Label(_l("Language")), "zone": Label(_l("Time zone"))},
    )
)
