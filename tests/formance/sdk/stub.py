"""An HTTP client as the vendor's SDK takes it, which sends nothing."""

from typing import Any


class Answer:
    """What httpx has as an answer."""

    def __init__(self, status: int, media: str, text: str) -> None:
        self.status_code = status
        self.headers = {"Count": "7", **({"Content-Type": media} if media else {})}
        self.content = text.encode()


class Stub:
    """Keeps the request and gives the answer that it was given."""

    def __init__(self) -> None:
        self.answer: tuple[int, str, str] = (200, "application/json", "{}")
        self.method = self.url = ""
        self.headers: dict[str, str] = {}
        self.content = b""
        self.count = 0

    def build_request(self, method: str, url: str, **parts: Any) -> Any:
        """Keep what a request is made of."""
        content = parts["content"]
        self.method, self.url, self.headers = method, url, parts["headers"]
        self.content = content if isinstance(content, bytes) else b"".join(content or ())
        return self

    def send(self, request: Any, *, stream: bool = False) -> Any:
        """Answer."""
        self.count += 1
        return Answer(*self.answer)

    def close(self) -> None:
        """Nothing is held."""


class AsyncStub(Stub):
    """The asynchronous twin of `Stub`."""

    async def send(self, request: Any, *, stream: bool = False) -> Any:
        """Answer."""
        return Stub.send(self, request, stream=stream)

    async def aclose(self) -> None:
        """Nothing is held."""
