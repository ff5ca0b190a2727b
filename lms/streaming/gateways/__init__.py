"""What live classes lean on outside: `providers` where they happen, `tape` what comes in, `packager` what students are shown of it."""

from lms.streaming.gateways.providers import PROVIDERS, Provider, provider_of
from lms.streaming.gateways.tape import Gap, Reel, Tape, folder_of, folders, forget, reels, use_folder

__all__ = ["PROVIDERS", "Gap", "Provider", "Reel", "Tape", "folder_of", "folders", "forget", "provider_of", "reels", "use_folder"]
