"""Passkeys in Chromium, with the authenticator it brings for tests: made under the profile, then the only thing a sign-in asks."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.test_courses import context  # noqa: F401  the fixtures

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_passkey__is_made_and_signs_in_by_itself(context: BrowserContext) -> None:  # noqa: F811
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    line.send("WebAuthn.addVirtualAuthenticator", {"options": {**device, "automaticPresenceSimulation": True}})
    page.goto("/auth/passkeys")
    page.get_by_role("link", name="Make a passkey").click()
    expect(page.get_by_label("Name")).to_have_value("Chrome · Linux")
    page.get_by_label("Name").fill("Desk")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_text("Desk", exact=True)).to_be_visible()
    context.clear_cookies()
    page.goto("/auth/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url("/admin/")
