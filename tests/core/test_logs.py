"""What a log line shows of addresses that open something: their shape."""

import pytest

from lms.core.logs import mask_links, masked

TOKEN = "eyJrIjoiMSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"GET /content/files/{TOKEN} 200", "GET /content/files/[masked] 200"),
        (f"/content/watch/{TOKEN}/hls/master.m3u8", "/content/watch/[masked]/hls/master.m3u8"),
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
