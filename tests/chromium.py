"""How every test starts Chromium: one place for its program and its switches."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

# Pictures are drawn by the processor here in any case; the detour over a made-up graphics card costs several times as much.
PLAIN = ("--disable-gpu", "--disable-background-networking")


def launch(play: Playwright, *switches: str) -> Browser:
    """Chromium of this machine, or the one `scripts/test` installed; without its sandbox for root, whom it refuses otherwise."""
    as_root = ("--no-sandbox",) if os.getuid() == 0 else ()
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    return play.chromium.launch(executable_path=path, args=[*PLAIN, *as_root, *switches])
