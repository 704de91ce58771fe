"""Which servers are one's own, and the way to them: proxies, certificates, plain text."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backends.base import Caption, Options
from backends.captioners.openai import OpenAICaptioner
from backends.errors import CallError, SetupError, TransientError
from backends.http import is_in_the_clear, is_private, no_answer, proxy_for
from tests.support.api_server import ApiServer, Reply
from tests.support.protocols import ANTHROPIC, OPENAI, Protocol
from tests.support.protocols.base import Request
from tests.support.vendors import FAST, KEY, PHOTO, ask, make

PRIVATE = [
    "http://127.0.0.1:8000/v1",
    "http://localhost:11434",
    "http://ollama:11434/v1",
    "http://nas/v1",
    "http://box.lan/v1",
    "http://gpu.internal/v1",
    "http://gpu.home.arpa/v1",
    "http://gpu.tail1234.ts.net/v1",
    "http://gpu.local/v1",
    "http://GPU.Local./v1",
    "http://100.64.0.1/v1",
    "http://100.127.255.254/v1",
    "http://host.docker.internal:11434/v1",
    "http://192.168.1.7/v1",
    "http://10.0.0.1/v1",
    "http://[::1]:8000/v1",
    "http://[fd12::1]/v1",
]
PUBLIC = [
    "https://api.openai.com/v1",
    "http://example.com/v1",
    "http://100.128.0.1/v1",
    "http://100.63.255.255/v1",
    "http://8.8.8.8/v1",
    "http://lan.example.com/v1",
    "http://evil-lan.com/v1",
    "http://[2606:4700::1111]/v1",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_a_server_at_home_needs_no_key(url: str) -> None:
    assert is_private(url)
    assert OpenAICaptioner(Options(base_url=url, model="x")).key == ""


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_server_needs_a_key(url: str) -> None:
    assert not is_private(url)
    with pytest.raises(SetupError, match="is not set"):
        OpenAICaptioner(Options(base_url=url, model="x"))


@pytest.mark.parametrize("url", [*PRIVATE, *PUBLIC])
def test_plain_http_to_a_public_server_is_warned_of(url: str) -> None:
    captioner = OpenAICaptioner(Options(base_url=url, model="x", keys={"OPENAI_API_KEY": KEY}))
    warned = any("plain http" in remark for remark in captioner.remarks)
    assert warned == is_in_the_clear(url) == (url in PUBLIC and url.startswith("http://"))


def test_a_certificate_that_is_not_trusted_is_told_with_the_way_out() -> None:
    refused = ssl.SSLCertVerificationError("certificate verify failed")
    refused.verify_message = "self-signed certificate"
    failed = httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")
    failed.__cause__ = refused
    told = no_answer(failed, "nas", 0.1)

    assert told.startswith("the certificate of nas is not trusted: self-signed certificate")
    assert "SSL_CERT_FILE" in told


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """A proxy in the environment, which answers by itself."""
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ApiServer(OPENAI) as server:
        monkeypatch.setenv("http_proxy", f"http://user:canary-word@127.0.0.1:{server.port}")
        yield server


async def test_calls_go_through_the_proxy_of_the_environment(
    protocol: Protocol, proxy: ApiServer
) -> None:
    proxy.protocol = protocol
    proxy.script = lambda request: protocol.good()
    with ApiServer(protocol) as server:
        captioner = make(protocol, server)
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert server.requests == []
    [request] = proxy.requests
    assert request.headers["proxy-authorization"].startswith("Basic ")
    told = " ".join(captioner.remarks)
    assert f"through the proxy http://127.0.0.1:{proxy.port}" in told
    assert "canary-word" not in told


@pytest.mark.parametrize("hosts", ["127.0.0.1", "*", "example.com, 127.0.0.1"])
async def test_no_proxy_is_obeyed(
    protocol: Protocol, proxy: ApiServer, monkeypatch: pytest.MonkeyPatch, hosts: str
) -> None:
    monkeypatch.setenv("no_proxy", hosts)
    with ApiServer(protocol) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert proxy.requests == []
    assert len(server.captions) == 1


def test_the_proxy_of_the_scheme_wins_over_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "proxy:1")
    monkeypatch.setenv("https_proxy", "http://proxy:2")
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert proxy_for("https://example.com") == "http://proxy:2"
    assert proxy_for("http://example.com") == "http://proxy:1"


async def test_a_proxy_that_is_not_there_is_an_error_of_the_call(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ApiServer(protocol) as gone:
        pass
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", f"http://user:canary-word@127.0.0.1:{gone.port}")
    with ApiServer(protocol) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, TransientError), answer
    assert answer.cost_usd is None
    assert str(answer) == f"the proxy http://127.0.0.1:{gone.port} refuses connections"


async def test_a_proxy_that_does_not_connect_is_named(
    proxy: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
    proxy.protocol = ANTHROPIC  # which answers 404 where no caption is asked for
    options = Options(base_url="https://box.internal/v1", model="m", request_timeout=5)
    captioner = OpenAICaptioner(options, FAST)
    [answer] = await captioner.caption_batch([PHOTO])
    await captioner.close()

    assert isinstance(answer, TransientError), answer
    assert f"box.internal through the proxy http://127.0.0.1:{proxy.port} failed" in str(answer)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_certificates_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(SetupError, match=r"ca\.pem"):
        OpenAICaptioner(Options(keys={"OPENAI_API_KEY": KEY}))


ELSEWHERE = {
    "nothing there": Reply(404, "404 page not found"),
    "a page": Reply(body="<html>Welcome</html>"),
    "an error with HTTP 200": Reply(body={"error": "Unexpected endpoint or method."}),
}


@pytest.mark.parametrize("reply", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_an_address_without_its_path_says_so(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    root = server.url.removesuffix("/v1")
    monkeypatch.setattr(type(OPENAI), "no_caption", lambda protocol: reply)
    answer = await ask(OPENAI, server, base_url=root)

    assert isinstance(answer, CallError)
    assert f"--base-url {root}/v1" in str(answer)


@pytest.mark.parametrize("own", [True, False])
async def test_the_other_name_of_the_limit_is_tried_once_and_remembered(
    server: ApiServer, own: bool
) -> None:
    names = ("max_tokens", "max_completion_tokens")
    refused, wanted = names if own else names[::-1]

    def script(request: Request) -> Reply:
        if refused in request.json:
            return OPENAI.error(400, f"Unsupported parameter: '{refused}'. Use '{wanted}' instead.")
        return OPENAI.good()

    server.script = script
    captioner: Any = make(OPENAI, server, model="gpt-6-luna")
    captioner.own_server = own
    captioner.form = refused

    answers = [await captioner.caption_batch([PHOTO]) for _ in range(3)]
    together = await asyncio.gather(*(captioner.caption_batch([PHOTO]) for _ in range(3)))
    await captioner.close()

    assert all(isinstance(answer, Caption) for [answer] in [*answers, *together])
    assert len(server.captions) == 7


async def test_calls_refused_together_all_take_the_other_name(server: ApiServer) -> None:

    def script(request: Request) -> Reply:
        if "max_tokens" in request.json:
            return Reply(400, OPENAI.error(400, "use max_completion_tokens").body, delay=0.05)
        return OPENAI.good()

    server.script = script
    captioner: Any = make(OPENAI, server)
    answers = await asyncio.gather(*(captioner.caption_batch([PHOTO]) for _ in range(4)))
    await captioner.close()

    assert all(isinstance(answer, Caption) for [answer] in answers), answers


async def test_a_limit_that_is_refused_by_both_names_is_told(server: ApiServer) -> None:
    server.script = lambda request: OPENAI.error(400, "max_tokens is too large")
    answer = await ask(OPENAI, server)

    assert type(answer) is CallError
    assert len(server.captions) == 2


async def test_the_limit_of_tokens_is_the_users(protocol: Protocol) -> None:
    with ApiServer(protocol) as server:
        await ask(protocol, server, max_tokens=77)
        few = make(protocol, server, max_tokens=77).cost_bound()
        many = make(protocol, server, max_tokens=7700).cost_bound()

    assert b":77," in server.captions[0].body.replace(b" ", b"").replace(b"}", b",")
    assert few < many
