"""How people of the journeys use pages: they fill in the form they see and press its button; hidden fields come along as in a browser."""

from typing import Any

from tests.client import Browser, Page


def form_on(page: Page, action: str = "", having: str = "") -> dict[str, Any]:
    """The fields of a form on the page as a browser would send them: the form with that end of an action, or with that field."""
    for form in page.all("//form[translate(@method,'POST','post')='post']"):
        names = {str(field.get("name")) for field in form.xpath(".//*[@name]")}
        if str(form.get("action") or "").partition("?")[0].endswith(action) and (not having or having in names):
            return _values(form)
    raise AssertionError(f"no form …{action} with {having!r} on the page: {[form.get('action') for form in page.all('//form')]}")


def _values(form: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in form.xpath(".//input[@name] | .//textarea[@name] | .//select[@name]"):
        name, kind = str(field.get("name")), str(field.get("type") or "")
        if field.tag == "select":
            chosen = field.xpath(".//option[@selected]") or field.xpath(".//option[1]")
            values[name] = str(chosen[0].get("value", "")) if chosen else ""
        elif field.tag == "textarea":
            values[name] = "".join(field.itertext()).removeprefix("\n")
        elif kind in ("checkbox", "radio"):
            if field.get("checked") is not None:
                values[name] = str(field.get("value", "on"))
        elif kind not in ("submit", "file", "button"):
            values[name] = str(field.get("value", ""))
    return values


def fill(browser: Browser, url: str, typed: dict[str, Any], *, action: str = "", having: str = "", status: int = 303) -> Page:
    """Open a page, type into its form, press the button; the answer (followed by hand with `.location`)."""
    page = browser.get(url, status=200)
    values = form_on(page, action, having or next(iter(typed), ""))
    target = url
    if action:
        target = next(
            str(form.get("action")) for form in page.all("//form") if str(form.get("action") or "").partition("?")[0].endswith(action)
        )
    return browser.post(target, {**values, **typed}, status=status, check=False)


def press(browser: Browser, url: str, label: str, *, status: int = 303) -> Page:
    """Open a page and press the button with these words."""
    page = browser.get(url, status=200)
    for form in page.all("//form[translate(@method,'POST','post')='post']"):
        for button in form.xpath(".//button"):
            if label in "".join(button.itertext()) or label == button.get("aria-label"):
                target = str(button.get("formaction") or form.get("action") or url)
                own = {str(button.get("name")): str(button.get("value", ""))} if button.get("name") else {}
                return browser.post(target, {**_values(form), **own}, status=status, check=False)
    raise AssertionError(f"no button {label!r} at {url}")


def link(page: Page, words: str) -> str:
    """Where the link with these words leads."""
    for found in page.all("//a[@href]"):
        if words in " ".join("".join(found.itertext()).split()):
            return str(found.get("href"))
    raise AssertionError(f"no link {words!r} on the page")
