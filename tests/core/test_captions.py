"""Captions as people bring them: read, cleaned, written, and read again as the same."""

import pytest

from lms.core.captions import Cue, clean, plain, read_captions, read_time, write_captions
from lms.core.errors import Invalid

SRT = "\ufeff1\r\n00:00:01,500 --> 00:00:03,000\r\n<font color=red>Hello</font> <i>there</i>\r\n\r\n2\r\n00:00:00.2 -> 0:01.1\r\n{\\an8}First &amp; <b>foremost</b>\r\n\r\n3\r\n00:00:09,000 --> 00:00:04,000\r\nToo early an end\r\n\r\n4\r\n00:99:09,000 --> 00:00:04,000\r\nNo time\r\n"


def test_read_captions__takes_srt_mends_it_and_writes_webvtt() -> None:
    cues = read_captions(SRT.encode())
    assert cues == [Cue(0.2, 1.1, "First &amp; <b>foremost</b>"), Cue(1.5, 3.0, "Hello <i>there</i>"), Cue(9.0, 9.1, "Too early an end")]
    written = write_captions(cues)
    assert (
        written.startswith("WEBVTT\n\n00:00:00.200 --> 00:00:01.100\nFirst &amp; <b>foremost</b>\n\n")
        and read_captions(written.encode()) == cues
    )
    assert plain(cues[0].text) == "First & foremost"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8"])
def test_read_captions__takes_every_common_encoding(encoding: str) -> None:
    assert read_captions("WEBVTT\n\n00:01.000 --> 00:02.000\nÜbung\n".encode(encoding))[0].text == "Übung"


@pytest.mark.parametrize("data", [b"", b"hello", b"WEBVTT\n\nNOTE nothing\n", b"x" * (2 << 20) + b"x"])
def test_read_captions__refuses_what_holds_none(data: bytes) -> None:
    with pytest.raises(Invalid):
        read_captions(data)


def test_clean__leaves_no_markup_that_does_anything() -> None:
    assert clean("<script>alert(1)</script>\n\n  a   <i>b</i> --> c <c.red>d</c>") == "alert(1)\na <i>b</i> → c d"
    assert write_captions([Cue(0, 1, "1 < 2 & <i>so</i>")]).endswith("1 &lt; 2 &amp; <i>so</i>\n")


def test_read_time__reads_clocks_and_nothing_else() -> None:
    assert [read_time(text) for text in ("1:02", "01:02:03.4", "0:05,25", "1:75", "x", "99:00:00")] == [
        62.0,
        3723.4,
        5.25,
        None,
        None,
        None,
    ]
