"""Which tests go to one worker together: those of a file that makes something dear once."""

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TOGETHER = {
    "tests/chat/test_sockets.py",  # a socket process
    "tests/reporting/test_forms.py",  # a busy channel
    "tests/streaming/test_sockets.py",  # a socket process
    "tests/web/test_design.py",  # a Chromium
    "tests/web/test_i18n.py",  # every message there is
}


class Scheduling(LoadScopeScheduling):
    """Gives each free worker the next test, and some files whole; these come first, the longest of them before the others."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid
