"""What live classes lean on outside: `providers` where they happen, `tape` what comes in, `packager` the picture, `joining` the film."""

from lms.streaming.gateways.joining import Film, join
from lms.streaming.gateways.providers import PROVIDERS, Provider, provider_of, signature_fits
from lms.streaming.gateways.tape import Gap, Reel, Tape, folder_of, folders, forget, reels, use_folder

__all__ = [
    "PROVIDERS",
    "Film",
    "Gap",
    "Provider",
    "Reel",
    "Tape",
    "folder_of",
    "folders",
    "forget",
    "join",
    "provider_of",
    "reels",
    "signature_fits",
    "use_folder",
]
