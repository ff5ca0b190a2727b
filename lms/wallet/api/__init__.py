"""Door 3: my wallet, people's wallets at any moment, statements, the ledger, money with a date, adjustments, the reading of the books."""

from lms.wallet.api import adjustments, ledger, lots, wallets
from lms.wallet.api.door import bp

__all__ = ["adjustments", "bp", "ledger", "lots", "wallets"]
