"""The consent page in a real browser: by mouse, by keyboard only, light and dark."""

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from bursar.testing import SandboxServer
from tests.server.piaxis.browser import chromium
from tests.server.piaxis.conftest import Http
from tests.server.piaxis.scene import CUSTOMER, CUSTOMER_PHONE, MERCHANT, VERIFIER, challenge


class Merchant:
    """A merchant's website on this machine, with its callback."""

    def __init__(self) -> None:
        merchant = self
        self.home = ""

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(merchant.home.encode() if self.path == "/" else b"<h1>Welcome back</h1>")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Pages)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Generator[SandboxServer]:
    with SandboxServer(seed=0) as running:
        yield running


@pytest.fixture(scope="module")
def merchant(server) -> Generator[Merchant]:
    """Its page leads to the consent page, as the vendor's README does."""
    site = Merchant()
    query = {
        "merchant_id": MERCHANT,
        "external_user_id": "customer-7",
        "redirect_uri": f"{site.url}/oauth/callback",
        "state": "opaque&state=1",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    site.home = f'<a href="{server.url}/piaxis/api/authorize?{urlencode(query)}">Pay with Piaxis</a>'
    yield site
    site.close()


@pytest.fixture
def page(browser, merchant) -> Generator[Page]:
    """A fresh browser on the merchant's page. What the browser complains of (its policy, say) fails the test."""
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto(f"{merchant.url}/")
    yield opened
    context.close()
    # A refused code is answered with 400, and there are no icons.
    assert [text for text in complaints if "400 (Bad Request)" not in text and "favicon" not in text] == []


def begin(page: Page) -> None:
    """Go to the consent page."""
    page.click("text=Pay with Piaxis")
    page.wait_for_selector("#contact:focus")


def brought_back(page: Page) -> dict[str, str]:
    page.wait_for_url("**/oauth/callback?*")
    assert page.inner_text("h1") == "Welcome back"
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_person_clicks_through(page, merchant, server):
    begin(page)
    assert "Piaxis Demo Merchant wants to use your Piaxis wallet" in page.inner_text("h1")
    page.get_by_label("Phone number or e-mail").fill(CUSTOMER_PHONE)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code of six digits").fill("000000")
    page.get_by_role("button", name="Allow").click()
    assert "wrong" in page.get_by_role("alert").inner_text()
    page.get_by_label("Code of six digits").fill("123456")
    page.get_by_role("button", name="Allow").click()
    back = brought_back(page)
    assert back["state"] == "opaque&state=1"
    http = Http(server.engine)
    answer = http.exchange(back["code"], verifier=VERIFIER, redirect_uri=f"{merchant.url}/oauth/callback")
    assert json.loads(answer.body)["user_id"] == CUSTOMER


def test_a_person_denies(page):
    begin(page)
    page.get_by_role("button", name="Deny").click()
    assert brought_back(page)["error"] == "access_denied"


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.innerText || document.activeElement.name")


def test_keyboard_only(page):
    """Enter on the link, what to fill in has the focus, Enter goes on; Tab reaches everything, visibly."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#contact:focus")
    assert focused(page) == "contact"
    page.keyboard.press("Control+A")
    page.keyboard.type(CUSTOMER_PHONE)
    page.keyboard.press("Enter")
    page.wait_for_selector("#otp:focus")
    assert focused(page) == "otp"
    page.keyboard.type("123456")
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(focused(page))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    assert stops == ["Allow", "Deny", "Send another code"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert "code" in brought_back(page)


def test_denying_by_keyboard_needs_no_code(page):
    begin(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "Deny"
    page.keyboard.press("Enter")
    assert brought_back(page)["error"] == "access_denied"


def test_the_browser_asks_for_six_digits_before_it_sends(page):
    begin(page)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code of six digits").fill("12345")
    page.get_by_role("button", name="Allow").click()
    assert page.evaluate("document.querySelector('#otp').validity.patternMismatch")
    assert page.url.endswith("/piaxis/api/authorize")


# What a colour is to the eye: WCAG 2.2, relative luminance, and 4.5 : 1 for text.
CONTRAST = """
() => {
    const part = value => { const c = value / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 };
    const light = text => {
        const [r, g, b] = text.match(/[0-9.]+/g).map(Number);
        return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const ground = element => {
        for (let one = element; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('h1, p, li, label, input:not([type=hidden]), button')].map(element => {
        const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
        return [element.tagName + ' ' + element.innerText, (a + 0.05) / (b + 0.05)];
    });
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_light_and_dark(page, scheme):
    page.emulate_media(color_scheme=scheme)
    begin(page)
    found = page.evaluate(CONTRAST)
    assert len(found) >= 8
    assert [name for name, contrast in found if contrast < 4.5] == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(16, 18, 21)") is (scheme == "dark")


def test_it_fits_a_small_phone(page):
    page.set_viewport_size({"width": 320, "height": 568})
    begin(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_everything_has_a_name(page):
    """As assistive technology is told it: the tree of roles and names."""
    begin(page)
    tree = page.locator("body").aria_snapshot()
    for part in (
        "- main:",
        'heading "Piaxis Demo Merchant',
        'textbox "Phone number',
        'button "Continue"',
        'button "Deny"',
    ):
        assert part in tree
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() == "Piaxis Demo Merchant asks for access - Piaxis"
