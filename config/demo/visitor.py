"""Somebody with a browser: keeps cookies, follows redirects, fills in the forms of the pages they get."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPException
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4


class PageError(Exception):
    """A page that did not answer as it should; the message says which and how."""


class Unavailable(PageError):
    """No answer, or one that says to come back: a part of the mall is being started again."""


@dataclass(frozen=True)
class Page:
    """What came back: where one ended up, and what is there."""

    path: str
    status: int
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")

    @property
    def token(self) -> str:
        """What a form of this page sends along to prove that it is the page's own."""
        found = _Fields.of(self.text).get("csrfmiddlewaretoken", "")
        if not found:
            raise PageError(f"{self.path} has no form.")
        return found

    def hidden(self, name: str) -> str:
        """The value of a form's field, empty where there is none."""
        return _Fields.of(self.text).get(name, "")


@dataclass
class Visitor:
    """One person at one host of the mall on this machine."""

    host: str
    port: int
    _opener: urllib.request.OpenerDirector = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The host is local whatever the machine's resolver says of *.localhost, and cookies are kept all the same.
        jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainLiberal))
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar), _SameHost(self)
        )

    def get(self, path: str) -> Page:
        """Open a page."""
        return self._ask(path, None, {})

    def post(
        self,
        path: str,
        fields: dict[str, str],
        *,
        page: Page,
        files: dict[str, tuple[str, bytes]] | None = None,
    ) -> Page:
        """Send a form of `page`."""
        values = {"csrfmiddlewaretoken": page.token, **fields}
        if files is None:
            return self._ask(path, urlencode(values).encode(), {})
        boundary = uuid4().hex
        return self._ask(
            path,
            _multipart(values, files, boundary),
            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )

    def sign_in(self, name: str, password: str) -> Page:
        """Sign in; raises PageError where the mall refuses."""
        form = self.get("/accounts/login/")
        answer = self.post("/accounts/login/", {"login": name, "password": password}, page=form)
        if answer.path.startswith("/accounts/login/"):
            raise PageError(f"{name} can't sign in at {self.host}.")
        return answer

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _ask(self, path: str, body: bytes | None, headers: dict[str, str]) -> Page:
        request = urllib.request.Request(
            self.address(path),
            data=body,
            headers={
                "Host": f"{self.host}:{self.port}",
                "Accept": "text/html",
                "Accept-Language": "zh-CN",
                "Referer": f"http://{self.host}:{self.port}{path}",
                **headers,
            },
        )
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Page(urlsplit(answer.url).path, answer.status, answer.read())
        except urllib.error.HTTPError as error:
            kind = Unavailable if error.code in (502, 503, 504) else PageError
            raise kind(f"http://{self.host}:{self.port}{path} answered {error.code}.") from error
        except (OSError, HTTPException) as error:
            raise Unavailable(f"http://{self.host}:{self.port}{path} did not answer: {error}.") from error


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follow a redirect at the same host, which is reached by the loopback address."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        parts = urlsplit(newurl)
        local = self._visitor.address(parts.path + (f"?{parts.query}" if parts.query else ""))
        new = super().redirect_request(req, fp, code, msg, headers, local)
        if new is not None:
            new.add_header("Host", f"{self._visitor.host}:{self._visitor.port}")
        return new


class _Fields(HTMLParser):
    """The values of a page's inputs by name; the first of a name counts."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    @classmethod
    def of(cls, text: str) -> dict[str, str]:
        parser = cls()
        parser.feed(text)
        return parser.values

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "input" and (name := facts.get("name")):
            self.values.setdefault(name, facts.get("value") or "")


def _multipart(fields: dict[str, str], files: dict[str, tuple[str, bytes]], boundary: str) -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, (file_name, data) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", data, b"\r\n"]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])
