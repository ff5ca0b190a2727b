"""HTTP for everyone: the request cycle, access, the four answers, forms, lists, error pages, assets. Knows no module."""
