"""The program that looks into a media file inside the sandbox: `probe.py demuxer` reads ./input and prints facts as JSON.

`probe.py demuxer moments` prints the seconds at which it may be cut. It opens the container with the demuxer it was told, follows
nothing outside, decodes one picture and one sound, and measures a length the header does not tell.
"""

import contextlib
import json
import sys
from typing import Any

import av

MAX_STREAMS = 64
MAX_PACKETS = 2_000_000
OPTIONS = {"protocol_whitelist": "file,pipe", "max_streams": str(MAX_STREAMS), "max_pixels": "40000000"}


def video_facts(container: Any, stream: Any) -> dict[str, Any]:
    """Codec, coded size, rotation, shape of pixels and rate of a video stream, with its first picture decoded."""
    frame = None
    with contextlib.suppress(av.error.EOFError):
        frame = next(container.decode(stream), None)
    if frame is None:
        raise ValueError("no picture decodes")
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio
    return {
        "index": stream.index,
        "codec": context.name,
        "profile": str(getattr(context, "profile", "") or ""),
        "width": frame.width,
        "height": frame.height,
        "rotation": int(frame.rotation) % 360,
        "pixel_format": frame.format.name,
        "aspect": float(aspect) if aspect else 1.0,
        "fps": float(stream.average_rate or stream.guessed_rate or 0),
        "transfer": int(getattr(context, "color_trc", 0) or 0),
    }


def audio_facts(stream: Any) -> dict[str, Any]:
    """Codec, channels and rate of an audio stream."""
    context = stream.codec_context
    return {"index": stream.index, "codec": context.name, "channels": context.channels, "sample_rate": context.sample_rate}


def is_cover(stream: Any) -> bool:
    """Whether a video stream is only a picture on a song."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def measured_length(container: Any) -> float:
    """Seconds from the first to the last packet, for files whose header does not say."""
    container.seek(0)
    first = last = None
    for count, packet in enumerate(container.demux()):
        if packet.pts is None or packet.time_base is None:
            continue
        begin = float(packet.pts * packet.time_base)
        first = begin if first is None else min(first, begin)
        last = max(last or 0.0, begin + float((packet.duration or 0) * packet.time_base))
        if count > MAX_PACKETS:
            break
    return (last or 0.0) - (first or 0.0)


def look(demuxer: str) -> dict[str, Any]:
    """The facts of ./input."""
    with av.open("file:input", format=demuxer, options=OPTIONS) as container:
        if len(container.streams) > MAX_STREAMS:
            return {"refused": "streams"}
        videos = [stream for stream in container.streams.video if not is_cover(stream)]
        sounds = [stream for stream in container.streams.audio if stream.codec_context is not None and stream.codec_context.channels]
        for stream in videos:
            if stream.codec_context is not None and stream.codec_context.width * stream.codec_context.height > 40_000_000:
                return {"refused": "pixels"}
        video = video_facts(container, videos[0]) if videos else None
        audio = audio_facts(sounds[0]) if sounds else None
        if video is None and audio is not None:
            next(container.decode(sounds[0]))
        duration = container.duration / av.time_base if container.duration and container.duration > 0 else measured_length(container)
        return {"video": video, "audio": audio, "duration": duration, "streams": len(container.streams)}


def moments(demuxer: str) -> dict[str, Any]:
    """The seconds (from the file's beginning) of keyframes that no later picture reaches back over: there it may be cut without a seam."""
    with av.open("file:input", format=demuxer, options=OPTIONS) as container:
        stream = next(stream for stream in container.streams.video if not is_cover(stream))
        zero = (container.start_time or 0) / av.time_base
        found: list[float] = []
        for packet in container.demux(stream):
            if packet.pts is None or packet.time_base is None:
                continue
            at = float(packet.pts * packet.time_base) - zero
            if packet.is_keyframe:
                found.append(at)
            elif found and at < found[-1]:
                found.pop()
    return {"moments": found}


def main() -> None:
    """Print the facts, or why there are none."""
    try:
        facts = moments(sys.argv[1]) if sys.argv[2:] == ["moments"] else look(sys.argv[1])
    except (av.error.FFmpegError, ValueError, StopIteration, OSError, MemoryError, AttributeError) as error:
        facts = {"refused": "broken", "error": f"{type(error).__name__}: {error}"[:300]}
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
