"""Door 1: accounts. `signing_in` for getting in and out, `proofs` for second factors and proving anew."""

from lms.auth.views import proofs, signing_in
from lms.auth.views.door import bp

__all__ = ["bp", "proofs", "signing_in"]
