"""Door 1: accounts. `signing_in` for getting in and out, `passkeys` for keys that do both steps, `proofs` for second factors."""

from lms.auth.views import passkeys, proofs, signing_in
from lms.auth.views.door import bp

__all__ = ["bp", "passkeys", "proofs", "signing_in"]
