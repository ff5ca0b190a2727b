"""nginx with its RTMP module for the tests that stand it before Lectern: the system's, or Debian's packages when we are root.

Without it those tests check the settings by reading them; so nothing here ends a run.
"""

import os
import shutil
from pathlib import Path

import _venv

MODULE = Path("/etc/nginx/modules-enabled")


def ready() -> None:
    """Install what is missing where that can be done."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        return
    try:
        if not shutil.which("nginx"):
            _venv.package("nginx", "nginx")
        if not any(MODULE.glob("*rtmp*")):
            _venv.package("libnginx-mod-rtmp", "nginx's RTMP module")
    except _venv.Missing as missing:
        _venv.say(str(missing))
