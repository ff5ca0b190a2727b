"""What a log line shows of addresses that open something: their shape."""

import pytest

from lms.core.logs import MOST, mask_links, masked, shorten

HOME = "0190a000-0000-7000-8000-000000000001/0190a000-0000-7000-8000-000000000002"
RUN = "0190a00000007000800000000000000a"
TOKEN = "eyJrIjoiMSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"GET /content/files/{TOKEN} 200", "GET /content/files/[masked] 200"),
        (f"/content/watch/{HOME}/{TOKEN}/{RUN}/hls/master.m3u8", f"/content/watch/{HOME}/[masked]/{RUN}/hls/master.m3u8"),
        (f"/streaming/live/{HOME}/{TOKEN}/index.m3u8", f"/streaming/live/{HOME}/[masked]/index.m3u8"),
        (f"PUT /content/parts/{TOKEN}", "PUT /content/parts/[masked]"),
        (f"/auth/invitations/{TOKEN}?x=1", "/auth/invitations/[masked]?x=1"),
        ("/vouchers/redeem?code=DEMO-ABCD-EFGH&next=/", "/vouchers/redeem?code=[masked]&next=/"),
        ("https://s3.example/b/k?X-Amz-Signature=0af&X-Amz-Date=1", "https://s3.example/b/k?X-Amz-Signature=[masked]&X-Amz-Date=[masked]"),
        ("/courses/algebra?page=2", "/courses/algebra?page=2"),
    ],
)
def test_masked__keeps_the_shape_and_hides_what_opens(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert mask_links(None, "", {"path": text, "n": 3}) == {"path": shown, "n": 3}


def test_shorten__keeps_the_beginning_and_the_end_of_a_text_without_end() -> None:
    made = shorten(None, "", {"exception": "first" + "x" * 10**7 + "last", "path": "/courses", "n": 3})
    assert len(made["exception"]) < MOST + 10 and made["exception"].startswith("first") and made["exception"].endswith("last")
    assert (made["path"], made["n"]) == ("/courses", 3)
