"""What is made of a video, and the words ffmpeg is told it with: sizes, pieces, sound, pictures for the time line. All pure."""

from typing import NamedTuple

from lms.content.gateways.facts import Facts

# short side: (quality, most bits a second)
LADDER = {1080: (21, 5_000_000), 720: (22, 2_800_000), 480: (23, 1_200_000), 240: (24, 400_000)}
SOUND_RATE = 128_000
PHONE_SIDE = 720
PHONE_RATE = 8_000_000
SEGMENT_SECONDS = 6
BASE_SECONDS = 10  # every made stream begins here, so that no frame is ever decoded before zero
LOUDNESS = -16.0  # LUFS, what people are used to from other players
MOST_GAIN = 20.0
TILE_WIDTH = 160
TILES_A_ROW = 10
MOST_TILES = 150
CLEAN = ["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn"]
AAC = ["-c:a", "aac", "-b:a", str(SOUND_RATE), "-ac", "2", "-ar", "48000"]
PIECE_SECONDS = 60
CUT_FROM_SECONDS = 150


class Rendition(NamedTuple):
    """One size of the ladder: its name in addresses, pixels, quality and most bits a second."""

    name: str
    width: int
    height: int
    crf: int
    rate: int


class Loudness(NamedTuple):
    """How loud a sound is: integrated (LUFS) and its highest peak (dBFS)."""

    integrated: float
    peak: float

    @property
    def gain(self) -> float:
        """Decibels to add so that all lessons sound alike; silence stays silence, and a single clap does not keep speech low."""
        if self.integrated < -50:
            return 0.0
        wanted = max(-MOST_GAIN, min(MOST_GAIN, LOUDNESS - self.integrated))
        return round(min(wanted, max(-1.0 - self.peak, -MOST_GAIN) + 6.0), 2)


def ladder(facts: Facts) -> list[Rendition]:
    """The sizes to make, biggest first: those of the ladder not above the source, and the source's own when it lies well between two."""
    top = facts.short_side & ~1
    sides = [side for side in LADDER if side <= top]
    if not sides or (top < max(LADDER) and top > sides[0] * 1.2):
        sides.insert(0, max(top, 2))
    return [_rendition(facts, side) for side in sides]


def _rendition(facts: Facts, side: int) -> Rendition:
    scale = side / facts.short_side
    width, height = (max(2, round(length * scale / 2) * 2) for length in (facts.width, facts.height))
    like = next((known for known in sorted(LADDER) if known >= side), max(LADDER))
    return Rendition(f"{side}p", width, height, *LADDER[like])


def tile_seconds(facts: Facts) -> float:
    """How far apart the pictures for the time line are."""
    return max(2.0, round(facts.duration / MOST_TILES, 1))


def tile_size(facts: Facts) -> tuple[int, int]:
    """The size of one picture for the time line."""
    return TILE_WIDTH, max(2, round(TILE_WIDTH * facts.height / facts.width / 2) * 2)


def cuts(moments: list[float], duration: float) -> list[float]:
    """Where to cut a long video: moments (of closed keyframes) about a piece apart; none for a short one or one without such moments."""
    if duration < CUT_FROM_SECONDS:
        return []
    found, last = [], 0.0
    for moment in moments:
        if moment - last >= PIECE_SECONDS and duration - moment >= PIECE_SECONDS / 2:
            found.append(moment)
            last = moment
    return found


def pictures_arguments(
    facts: Facts, sizes: list[Rendition], *, number: int, starts_at: float, has_tonemap: bool, threads: int = 0
) -> list[str]:
    """Every size of a piece and its pictures for the time line in one run: fMP4 segments, keyframes every 2 s at the same moments.

    Each size is made by as many `threads`; 0 leaves it to ffmpeg, which takes the whole machine.
    """
    count = len(sizes)
    tile_width, tile_height = tile_size(facts)
    first = [f"scale={sizes[0].width}:{sizes[0].height}:flags=bicubic,{_SDR}"] if facts.is_hdr and has_tonemap else []
    before = ",".join([*(["fps=60"] if facts.fps > 60.5 else []), *first, f"split={count + 1}"])
    graph = [f"[0:{facts.video_index}]{before}{''.join(f'[s{i}]' for i in range(count + 1))}"]
    graph += [f"[s{i}]scale={r.width}:{r.height}:flags=bicubic,setsar=1,format=yuv420p[o{i}]" for i, r in enumerate(sizes)]
    picked = f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{tile_seconds(facts) - 0.01:.2f})'"
    graph.append(f"[s{count}]{picked},scale={tile_width}:{tile_height},setsar=1,format=yuvj420p[tiles]")
    arguments = ["-filter_complex", ";".join(graph)]
    for i, size in enumerate(sizes):
        arguments += ["-map", f"[o{i}]", f"-crf:v:{i}", str(size.crf), f"-maxrate:v:{i}", str(size.rate)]
        arguments += [f"-bufsize:v:{i}", str(size.rate * 3 // 2)]
    arguments += ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-sc_threshold", "0", "-fps_mode", "vfr"]
    arguments += ["-force_key_frames", "expr:gte(t,n_forced*2)", "-video_track_timescale", "90000"]
    arguments += ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"] if first else []
    arguments += ["-threads:v", str(threads)] if threads else []
    streams = " ".join(f"v:{i},name:{size.name}" for i, size in enumerate(sizes))
    arguments += [*CLEAN, "-an", *_hls(number, starts_at), "-var_stream_map", streams, "hls/%v/index.m3u8"]
    return [*arguments, "-map", "[tiles]", "-an", "-fps_mode", "vfr", "-q:v", "5", "-f", "image2", "tiles/%05d.jpg"]


def sound_arguments(facts: Facts, gain: float) -> list[str]:
    """The sound once, for every size: as loud as others, stereo, 48 kHz, fMP4 segments."""
    louder = f"volume={gain}dB,alimiter=limit=0.89:level=false," if gain else ""
    arguments = ["-map", f"0:{facts.audio_index}", "-vn", *AAC, "-af", f"{louder}aresample=async=1:first_pts=0", *CLEAN]
    return [*arguments, *_hls(0, 0.0), "-var_stream_map", "a:0,name:sound", "hls/%v/index.m3u8"]


def _hls(number: int, starts_at: float) -> list[str]:
    arguments = ["-output_ts_offset", f"{BASE_SECONDS + starts_at:.6f}", "-f", "hls", "-hls_time", str(SEGMENT_SECONDS)]
    arguments += ["-hls_playlist_type", "vod", "-hls_flags", "independent_segments", "-hls_segment_type", "fmp4"]
    arguments += ["-hls_segment_options", "movflags=+frag_discont", "-hls_fmp4_init_filename", "init_%v.mp4"]
    return [*arguments, "-hls_segment_filename", f"hls/%v/seg_{number:04d}_%05d.m4s"]


_SDR = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
