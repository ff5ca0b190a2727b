"""The back office's frame: dashboard, inbox, audit, system. Hears and reads everyone."""
