"""What live classes lean on outside: `providers` where they happen, `tape` and `rtmp` what comes in, `packager` the picture,
`joining` the film, `fetching` one that lies elsewhere."""

from lms.streaming.gateways.fetching import Fetched, fetch_film
from lms.streaming.gateways.joining import Film, join
from lms.streaming.gateways.providers import PROVIDERS, Provider, provider_of, signature_fits
from lms.streaming.gateways.rtmp import film_name, make_key, read_key, rtmp_address, rtmp_door, use_rtmp
from lms.streaming.gateways.tape import Gap, Reel, Tape, begin_film, folder_of, folders, forget, has_room, reels, use_folder

__all__ = [
    "PROVIDERS",
    "Fetched",
    "Film",
    "Gap",
    "Provider",
    "Reel",
    "Tape",
    "begin_film",
    "fetch_film",
    "film_name",
    "folder_of",
    "folders",
    "forget",
    "has_room",
    "join",
    "make_key",
    "provider_of",
    "read_key",
    "reels",
    "rtmp_address",
    "rtmp_door",
    "signature_fits",
    "use_folder",
    "use_rtmp",
]
