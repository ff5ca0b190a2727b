"""ffmpeg in the sandbox: the ladder, keyframes that line up, caps, and nothing fetched by a file."""

import json
import socket
import threading
from pathlib import Path

import av
import pytest

from lms.content.gateways import Facts, Ffmpeg, ladder, media, use_ffmpeg
from lms.content.gateways import ffmpeg as ffmpeg_gateway
from lms.content.gateways.ffmpeg import ProcessingFailed
from lms.content.gateways.ladder import Loudness, cuts
from lms.core import sandbox, sniff
from lms.core.sandbox import Limits, Outcome, Stopped


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ((1920, 1080), ["1080p", "720p", "480p", "240p"]),
        ((3840, 2160), ["1080p", "720p", "480p", "240p"]),
        ((1280, 720), ["720p", "480p", "240p"]),
        ((1080, 1920), ["1080p", "720p", "480p", "240p"]),
        ((640, 360), ["360p", "240p"]),
        ((1024, 576), ["480p", "240p"]),
        ((1600, 900), ["900p", "720p", "480p", "240p"]),
        ((321, 241), ["240p"]),
        ((100, 57), ["56p"]),
        ((4, 2), ["2p"]),
    ],
)
def test_ladder__is_never_above_the_source(size: tuple[int, int], names: list[str]) -> None:
    made = ladder(Facts(duration=1, video_index=0, width=size[0], height=size[1]))
    assert [one.name for one in made] == names
    assert all(one.width % 2 == 0 == one.height % 2 and one.width <= size[0] + 1 and one.height <= size[1] + 1 for one in made)


def a_media(folder: Path, source: Path) -> Ffmpeg:
    (folder / "input").write_bytes(source.read_bytes())
    sandbox.give(folder / "input")
    return media(folder, sniff.sniff(folder / "input"), source.stat().st_size)


@pytest.mark.parametrize("at_once", [1, 2])
def test_pictures__have_keyframes_at_the_same_moments_in_every_size_and_ordinary_brightness(
    films: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(ffmpeg_gateway, "_at_once", [at_once])
    with sandbox.scratch() as folder:
        work = a_media(folder, films / "bright.mkv")
        facts = work.look()
        assert facts.is_hdr
        sizes = ladder(facts)
        made = work.pictures(facts, [*sizes, sizes[-1]._replace(name="60p", width=80, height=60)], lambda _fraction: None)
        moments = []
        for name, track in made.items():
            assert track.codec.startswith("avc1.64") and [one.name for one in track.segments] == ["seg_0000_00000.m4s"]
            with av.open(str(work.join(f"{name}.mp4", folder / "hls" / name, None))) as joined:
                stream = joined.streams.video[0]
                assert stream.codec_context.color_trc == 1 and stream.codec_context.pix_fmt == "yuv420p"
                moments.append([float(p.pts * p.time_base) for p in joined.demux(stream) if p.is_keyframe and p.pts is not None])
        assert moments[0] == moments[1] == [0.0, 2.0]


def test_loudness__raises_what_is_quiet_and_leaves_silence(films: Path) -> None:
    assert Loudness(-30.0, -12.0).gain == 14.0 and Loudness(-30.0, -3.0).gain == 8.0
    assert Loudness(-8.0, -0.5).gain == -8.0 and Loudness(-70.0, -70.0).gain == 0.0
    with sandbox.scratch() as folder:
        work = a_media(folder, films / "song.mp3")
        assert -40 < work.loudness(work.look()).integrated < -10


def test_moments__are_keyframes_no_later_picture_reaches_over(films: Path) -> None:
    with sandbox.scratch() as folder:
        work = a_media(folder, films / "talk.mp4")
        assert work.moments() == pytest.approx([0.0, 1.0, 2.0], abs=0.001)
    with sandbox.scratch() as folder:
        assert a_media(folder, films / "song.mp3").moments() == []


def test_cuts__are_about_a_piece_apart_and_leave_no_crumb() -> None:
    moments = [float(second) for second in range(0, 200, 4)]
    assert cuts(moments, 199.0) == [60.0, 120.0] and cuts(moments, 149.0) == [] and cuts([0.0], 900.0) == []


def test_look__takes_no_more_than_it_may(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(**facts: object) -> None:
        made = {"video": {"index": 0, "codec": "h264", "width": 640, "height": 360}, "audio": None, "duration": 5.0, "streams": 1, **facts}
        monkeypatch.setattr(ffmpeg_gateway.sandbox, "run", lambda *_a, **_k: Outcome(0, json.dumps(made), ""))

    with sandbox.scratch() as folder:
        work = a_media(folder, films / "talk.mp4")
        for facts, rule in (
            ({"duration": 13 * 3600.0}, "duration"),
            ({"duration": 0.0}, "duration"),
            ({"video": {"index": 0, "width": 9000, "height": 100}}, "pixels"),
            ({"video": {"index": 0, "width": 8000, "height": 6000}}, "pixels"),
            ({"refused": "streams"}, "streams"),
            ({"refused": "pixels"}, "pixels"),
            ({"refused": "broken"}, "broken"),
        ):
            answers(**facts)
            with pytest.raises(sniff.WrongFile) as refusal:
                work.look()
            assert refusal.value.rule == rule


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome(120, "", ""), ProcessingFailed),
        (Outcome(1, "", "Cannot allocate memory"), ProcessingFailed),
        (Outcome(1, "", "Invalid data"), sniff.WrongFile),
    ],
)
def test_remux__tells_our_faults_from_the_files(
    films: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, kind: type[Exception]
) -> None:
    with sandbox.scratch() as folder:
        work = a_media(folder, films / "talk.mp4")
        facts = work.look()
        monkeypatch.setattr(ffmpeg_gateway.sandbox, "run", lambda *_a, **_k: outcome)
        with pytest.raises(kind):
            work.remux(facts, lambda _fraction: None)


def test_look__where_nothing_can_be_opened_blames_no_file(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "python_command", lambda *_words: ["/nowhere/python"])
    with sandbox.scratch() as folder, pytest.raises(ProcessingFailed):
        a_media(folder, films / "talk.mp4").look()


def test_remux__past_a_limit_is_ours_to_say(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_arguments: object, **_options: object) -> Outcome:
        raise Stopped("wall")

    with sandbox.scratch() as folder:
        work = a_media(folder, films / "talk.mp4")
        facts = work.look()
        monkeypatch.setattr(ffmpeg_gateway.sandbox, "run", stop)
        with pytest.raises(ProcessingFailed) as refusal:
            work.remux(facts, lambda _fraction: None)
        assert refusal.value.rule == "wall"


def test_ffmpeg__in_the_sandbox_reaches_no_canary_and_no_file(tmp_path: Path) -> None:
    """Even with the playlist demuxer asked for by name and every protocol allowed, the walls hold."""
    if not sandbox.sandbox_report().walls:
        pytest.skip("this kernel builds no walls")
    (tmp_path / "secret.ts").write_bytes(b"G" * 188 * 50)
    hits: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(3)

        def hear() -> None:
            try:
                hits.append(server.accept())
            except TimeoutError:
                return

        thread = threading.Thread(target=hear)
        thread.start()
        port = server.getsockname()[1]
        with sandbox.scratch() as folder:
            work = Ffmpeg(media(folder, sniff.MP4, 1).program, folder, sniff.MP4, 1)
            lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXTINF:1,\nfile://{tmp_path}/secret.ts\n#EXT-X-ENDLIST\n"
            (folder / "input").write_text(lines)
            sandbox.give(folder / "input")
            command = [
                work.program,
                "-nostdin",
                "-protocol_whitelist",
                "file,http,tcp",
                "-allowed_extensions",
                "ALL",
                "-f",
                "hls",
                "-i",
                "input",
                "-c",
                "copy",
                "out.ts",
            ]
            outcome = sandbox.run(command, folder, Limits(wall_seconds=15, cpu_seconds=10), readable=(Path(work.program).parent,))
            assert outcome.code != 0 or not (folder / "out.ts").exists() or (folder / "out.ts").stat().st_size == 0
        thread.join()
    assert hits == []


def test_use_ffmpeg__names_the_program(tmp_path: Path) -> None:
    use_ffmpeg("/opt/ffmpeg")
    assert media(tmp_path, sniff.MP4, 1).program == "/opt/ffmpeg"
    use_ffmpeg("")
    assert "imageio_ffmpeg" in media(tmp_path, sniff.MP4, 1).program
