"""What people do in a browser, in the words of the journeys: sign in, give a second factor, send a form, look."""

import os
import re
import time
from pathlib import Path
from typing import Any

from allauth.mfa.totp.internal import auth as totp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

PASSWORD = "a quiet river in autumn"
PICTURES = Path(os.environ.get("E2E_PICTURES", "var/pictures"))


class Person:
    """Somebody with a browser window of their own; a step leaves a picture of the whole page."""

    def __init__(self, browser: Browser, name: str, *, width: int) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900}, locale="zh-CN"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.name, self.width, self.steps = name, width, 0
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._watch)

    def _watch(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not re.match(r"^(https?://([a-z0-9-]+\.)?localhost[:/]|data:|blob:)", url):
            self.complaints.append(f"asked {url}")

    def look(self, name: str) -> None:
        """Keep a picture, and see that the page is whole and no wider than the window."""
        self.steps += 1
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(
            path=PICTURES / f"{self.name}-{self.steps:02d}-{name}-{self.width}.png", full_page=True
        )
        wider = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 1, f"{name} is {wider} px wider than a window of {self.width}"
        found = Axe().run(self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        self.complaints += [f"{name}: {one['id']} {_where(one)}" for one in found.response["violations"]]

    def turn(self, site: str, pages: list[str]) -> None:
        """Look at pages again at the other width and in English, then come back."""
        before = self.width
        self.width = 390 if before > 600 else 1440
        self.page.set_viewport_size({"width": self.width, "height": 900})
        self.context.add_cookies([{"name": "language", "value": "en", "url": site}])
        for path in pages:
            self.goto(site + path)
            self.look("en" + path.replace("/", "-").rstrip("-"))
        self.context.add_cookies([{"name": "language", "value": "zh-hans", "url": site}])
        self.width = before
        self.page.set_viewport_size({"width": before, "height": 900})

    def goto(self, url: str, *, status: int = 200) -> None:
        """Open an address and see its status."""
        answer = self.page.goto(url)
        assert answer is not None
        assert answer.status == status, f"{url}: {answer.status}"

    def fill(self, **fields: str) -> None:
        """Type into fields by their names."""
        for name, value in fields.items():
            self.page.locator(f"[name={name}]:visible").first.fill(value)

    def send(self, form: str = "main form") -> None:
        """Press the form's button and wait for the page that follows."""
        button = self.page.locator(f"{form} button:visible").last
        with self.page.expect_navigation():
            button.click()

    def activate(self, url: str) -> None:
        """Follow an activation link and choose a password."""
        self.goto(url)
        self.look("activate")
        self.fill(new_password1=PASSWORD, new_password2=PASSWORD)
        self.send("form:has([name=new_password1])")

    def sign_in(self, url: str, login: str) -> None:
        """Sign in with a name and the password that everybody here has."""
        self.goto(f"{url}/accounts/login/")
        self.fill(login=login, password=PASSWORD)
        self.look("sign-in")
        self.send("form:has([name=login])")

    def set_second_factor(self) -> None:
        """Enrol an authenticator on the page that asks for one."""
        expect(self.page).to_have_url(re.compile("/2fa/totp/activate"))
        self.look("second-factor")
        secret = self.page.locator("[data-copy]").first.get_attribute("data-copy") or ""
        self.fill(code=code_of(secret))
        self.send("form:has([name=code])")

    def done(self) -> None:
        """Close the window; a page that logged an error or asked another host fails the journey."""
        self.context.close()
        assert not self.complaints, self.complaints


def _where(violation: dict[str, Any]) -> str:
    return "; ".join(str(node["target"]) for node in violation["nodes"][:3])


def code_of(secret: str) -> str:
    """The code that an authenticator shows now for a secret."""
    counter = int(time.time()) // 30
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def text_of(locator: Locator) -> str:
    return " ".join(locator.inner_text().split())


def wait_for(page: Page, selector: str, *, seconds: float = 60) -> None:
    page.locator(selector).first.wait_for(timeout=seconds * 1000)


def press_to(page: Page, selector: str) -> None:
    """Tab until something has the focus."""
    for _ in range(400):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {selector}")


def press_on(page: Page, selector: str) -> None:
    """Tab to something and press Enter."""
    press_to(page, selector)
    page.keyboard.press("Enter")


def both_languages(person: Person, site: str, url: str) -> None:
    """The same page at 390 pixels, in both languages, and in English at 1440; then back."""
    language = {"name": "language", "url": site}
    person.turn(site, [url.removeprefix(site)])
    person.page.set_viewport_size({"width": 390, "height": 844})
    person.width = 390
    person.goto(url)
    person.look("zh")
    person.page.set_viewport_size({"width": 1440, "height": 900})
    person.width = 1440
    person.context.add_cookies([{**language, "value": "en"}])
    person.goto(url)
    person.look("en")
    person.context.add_cookies([{**language, "value": "zh-hans"}])
    person.goto(url)
