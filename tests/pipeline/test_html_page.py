"""The HTML report in a real browser: it finds, shows, runs nothing foreign and fetches nothing."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.reports.html_page import Page, PageCluster, PagePhoto, render
from tests.support.programs import needed

ROOT = Path(__file__).parents[2]
PARTS = ROOT / "pipeline" / "reports" / "page"
DEADLINE = 30.0

# Chromium reads commands from descriptor 3 and answers on 4.
ON_PIPES = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for number, pipe in enumerate(pipes):
    os.dup2(pipe, 3 + number)
os.execvp(sys.argv[3], sys.argv[3:])
"""

SCRIPT = "</script><script>document.title = 'ran'</script>"
IMAGE = "<img src=http://caption.invalid/x.png onerror=\"document.title='ran'\">"
HOSTILE = [
    SCRIPT,
    IMAGE,
    "<!-- <script> <![CDATA[ &lt;b&gt; &amp; ' \" ` ${alert(1)} {{data}}",
    "\x1b[31mred\x1b[0m \x07 \x00 tab\t line\nreturn\r",
    "\u202egpj.exe \u2066\u200f and \u2028 and \u2029 and \ufeff",
    "\udcff\ud800 lone",
    "שלום, café, 漢字, \U0001f469\u200d\U0001f33e",
    "javascript:alert(1)",
    "__proto__",
    "\\u003c \\",
]


class Proxy:
    """A proxy that lets nothing through and keeps the first line of what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def asked_by_pages(self) -> list[str]:
        """What named a host of ours; the browser itself asks its makers for the time and such."""
        return [line for line in self.asked if ".invalid" in line]

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.asked.append(connection.recv(4096).partition(b"\r\n")[0].decode())
                except OSError as error:
                    self.asked.append(repr(error))


class Browser:
    """A headless Chromium, spoken to in its own protocol over a pipe.

    Args:
        profile: An empty folder of its own.
        proxy: Where it sends whatever it would send anywhere.
    """

    def __init__(self, profile: Path, proxy: int) -> None:
        chromium = needed("chromium")
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", ON_PIPES, str(commands), str(answers), chromium),
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                *("--no-first-run", "--disable-sync", "--disable-extensions"),
                *("--disable-background-networking", "--disable-component-update"),
                *("--disable-default-apps", "--disable-domain-reliability", "--no-pings"),
                f"--proxy-server=127.0.0.1:{proxy}",
                "--proxy-bypass-list=<-loopback>",
                f"--user-data-dir={profile}",
                "--remote-debugging-pipe",
            ],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._rest = b""
        self._last = 0
        self.events: list[dict[str, Any]] = []

    def close(self) -> None:
        try:
            self.ask("Browser.close")
            self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._commands)
            os.close(self._answers)

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self._commands, rest) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], DEADLINE)
            assert ready, "Chromium does not answer"
            more = os.read(self._answers, 1 << 20)
            assert more, "Chromium has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Tab:
    """A page of the browser, and all that it complained of or asked for."""

    def __init__(self, browser: Browser, width: int = 1280, height: int = 900) -> None:
        self._browser = browser
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2,
            mobile=False,
        )

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.ask(method, self._session, **parameters)

    def open(self, path: Path, place: str = "") -> Tab:
        self.ask("Page.navigate", url="about:blank")
        self.ask("Page.navigate", url=path.as_uri() + place)
        self.until("location.protocol === 'file:' && document.readyState === 'complete'")
        return self

    def value(self, expression: str) -> Any:
        answer = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        end = time.monotonic() + DEADLINE
        while not self.value(expression):
            assert time.monotonic() < end, f"never came true: {expression}"
            time.sleep(0.02)

    def text(self, selector: str = "body") -> str:
        text: str = self.value(f"document.querySelector({selector!r}).innerText")
        return text

    def count(self, selector: str) -> int:
        number: int = self.value(f"document.querySelectorAll({selector!r}).length")
        return number

    def go(self, place: str) -> None:
        self.value(f"location.hash = {place!r}; new Promise((done) => setTimeout(done, 50))")

    def press(self, *keys: str) -> None:
        for key in keys:
            for kind in ("keyDown", "keyUp"):
                self.ask("Input.dispatchKeyEvent", type=kind, key=key)

    def type(self, text: str) -> None:
        self.ask("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        self.value(f"document.querySelector({selector!r}).click()")

    def mouse(self, kind: str, x: float, y: float) -> None:
        clicks = 0 if kind == "mouseMoved" else 1
        button = "none" if kind == "mouseMoved" else "left"
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=clicks)

    def picture(self, selector: str) -> Image.Image:
        """Return what can be seen of an element."""
        self.value("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")
        box = self.value(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")
        clip = {key: box[key] for key in ("x", "y", "width", "height")} | {"scale": 1}
        png = self.ask("Page.captureScreenshot", format="png", clip=clip)["data"]
        return Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")

    def _events(self, *methods: str) -> Iterator[dict[str, Any]]:
        self.value("0")
        for event in self._browser.events:
            if event.get("sessionId") == self._session and event["method"] in methods:
                yield event["params"]

    @property
    def complaints(self) -> list[dict[str, Any]]:
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return list(self._events(*kinds))

    @property
    def requests(self) -> set[str]:
        """All addresses the page asked for, apart from pictures it holds itself."""
        urls = (event["request"]["url"] for event in self._events("Network.requestWillBeSent"))
        return {url for url in urls if not url.startswith("data:")}


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"), proxy.port)
    yield made
    made.close()


def cluster(title: str, parent: int | None = None, size: int = 0, **more: Any) -> PageCluster:
    facts = {"keywords": [], "exemplar": "", "cohesion": None, "span": "", "sheet": []} | more
    return PageCluster(title=title, parent=parent, size=size, **facts)


def page(clusters: list[PageCluster], photos: list[PagePhoto]) -> Page:
    return Page("Holidays", "Made on 2 May 2026", "5 captioned, 1 errors", clusters, photos)


def written(made: Page, directory: Path) -> Path:
    path = directory / "report.html"
    path.write_bytes(b"".join(render(made)))
    return path


def data_of(document: bytes) -> dict[str, Any]:
    match = re.search(rb'<script type="application/json" id="data">(.*?)</script>', document, re.S)
    assert match is not None
    data: dict[str, Any] = json.loads(match[1])
    return data


def jpeg(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def library() -> Page:
    """Return two groups on opposite sides of the map; one of them with two leaves."""
    photos = [
        PagePhoto(f"sea/{n}.jpg", f"A red boat, number {n}", 1, "success", x=n % 25 / 4, y=n / 50)
        for n in range(250)
    ]
    photos += [
        PagePhoto("sea/beach.jpg", "Café on the BEACH", 2, "success", "2020-05-01T10:20:30", 1, 1),
        PagePhoto("town/1.jpg", "A bicycle at night", 3, "success", None, 10.0, 10.0, "evening 1"),
        PagePhoto("town/broken.jpg", "", 4, "error_api"),
    ]
    sea = [(0, jpeg("red")), (250, jpeg("blue"))]
    return page(
        [
            cluster("sea", None, 251, keywords=["boat", "sea"], cohesion=0.61, sheet=sea),
            cluster("boats", 0, 250, exemplar="A red boat", span="2019-05-01 to 2021-08-03"),
            cluster("beach", 0, 1, sheet=sea[1:]),
            cluster("town", None, 1),
            cluster("no caption", None, 1),
        ],
        photos,
    )


def test_search_finds_all_words_in_labels_and_paths(browser: Browser, tmp_path: Path) -> None:
    path = written(library(), tmp_path)
    tab = Tab(browser).open(path, "#q=RED+boat")
    assert tab.value("document.title") == "Holidays"
    assert "5 captioned, 1 errors" in tab.text("header")
    assert "250 photos of 253" in tab.text("main")
    assert "200 of 250 photos" in tab.text("main")
    assert tab.count(".photo") == 200
    assert "250 of 252 photos highlighted. 1 without a place is left out." in tab.text(".map")
    tab.click(".more")
    assert tab.count(".photo") == 250
    assert tab.value("document.activeElement.dataset.photo") == "200"

    tab.go("#q=cafe+sea")  # without its accent, and a word of the path
    assert tab.text(".photos .label") == "Café on the BEACH"
    assert tab.text(".photos mark") == "Café"
    assert "2020-05-01 10:20" in tab.text(".photos")
    assert tab.count(".sheet img") == 1
    tab.go("#q=caf%C3%89 boat")
    assert "No photo has all these words" in tab.text("main")

    tab.value("document.getElementById('query').select()")
    tab.value("document.getElementById('query').focus()")
    tab.type("bicycle")
    tab.until("location.hash === '#q=bicycle'")
    assert "1 photo of 253" in tab.text("main")
    assert tab.value("document.getElementById('found').textContent") == "1 photo found"
    tab.ask("Page.reload")
    tab.until("document.readyState === 'complete' && document.querySelector('.photo') !== null")
    assert tab.value("document.getElementById('query').value") == "bicycle"
    assert tab.count(".photo") == 1
    assert tab.complaints == []


def test_a_cluster_shows_its_sheet_and_its_photos(browser: Browser, tmp_path: Path) -> None:
    path = written(library(), tmp_path)
    tab = Tab(browser).open(path, "#c=0")
    text = tab.text("main")
    assert "251" in text
    assert "0.61" in text
    assert "Contact sheet" in text
    assert tab.count(".sheet img") == 2
    tab.until("[...document.querySelectorAll('.sheet img')].every((each) => each.naturalWidth)")
    assert "200 of 251 photos" in text  # those of both its leaves
    assert tab.text('[aria-selected="true"] .title') == "sea"

    tab.go("#c=1")
    assert "2019-05-01 to 2021-08-03" in tab.text("main")
    assert tab.text(".exemplar") == "A red boat"
    assert tab.text('[aria-selected="true"] .title') == "boats"
    for nowhere in ("#c=99", "#c=-1", "#c=x", "#c=__proto__", "#", "#%"):
        tab.go(nowhere)
        assert "253 photos in 3 clusters" in tab.text("main")
    assert tab.complaints == []


def test_the_tree_obeys_keys(browser: Browser, tmp_path: Path) -> None:
    tab = Tab(browser).open(written(library(), tmp_path))
    focused = "document.activeElement.querySelector('.title')?.textContent"
    assert tab.count('[role="treeitem"]') == 3  # children are made when they are wanted
    assert tab.count('[role="treeitem"][tabindex="0"]') == 1
    tab.value("document.querySelector('[role=\"treeitem\"]').focus()")
    tab.press("ArrowRight")
    assert tab.count('[role="treeitem"]') == 5
    tab.press("ArrowRight", "ArrowDown")
    assert tab.value(focused) == "beach"
    tab.press("Enter")
    tab.until("location.hash === '#c=2' && document.querySelector('main h2')?.innerText == 'beach'")
    tab.press("ArrowLeft")
    assert tab.value(focused) == "sea"
    tab.press("ArrowLeft", "ArrowDown")
    assert tab.value(focused) == "town"
    tab.press("End")
    assert tab.value(focused) == "no caption"
    tab.value("history.back()")
    tab.until("document.querySelector('main h2').innerText === 'The whole library'")
    assert tab.complaints == []


def coloured(image: Image.Image) -> int:
    """Return how many pixels are not grey."""
    colours = image.getcolors(image.width * image.height) or []
    return sum(
        number
        for number, colour in colours
        if isinstance(colour, tuple) and max(colour) - min(colour) > 60
    )


def test_the_map_shows_finds_and_chooses(browser: Browser, tmp_path: Path) -> None:
    tab = Tab(browser).open(written(library(), tmp_path))
    assert "252 photos" in tab.text(".map")
    everything = coloured(tab.picture("canvas"))
    assert everything > 200
    box = tab.value("document.querySelector('canvas').getBoundingClientRect().toJSON()")
    side = min(box["width"], box["height"]) - 32
    x = box["x"] + (box["width"] + side) / 2  # "town" is the farthest right, and on top
    y = box["y"] + (box["height"] - side) / 2
    tab.mouse("mouseMoved", x, y)
    assert "A bicycle at night" in tab.text("#tip")
    assert "town/1.jpg" in tab.text("#tip")
    tab.mouse("mousePressed", x, y)
    tab.mouse("mouseReleased", x, y)
    tab.until("location.hash === '#c=3' && document.querySelector('main h2').innerText === 'town'")
    tab.mouse("mouseMoved", box["x"] + 5, box["y"] + 5)
    assert tab.value("document.getElementById('tip').hidden")
    assert 0 < coloured(tab.picture("canvas")) < everything / 2

    tab.go("#q=boat")
    assert "250 of 252 photos highlighted" in tab.text(".map")
    tab.click("#zoom-in")
    tab.ask(
        "Emulation.setDeviceMetricsOverride",
        width=400,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )
    tab.until("document.querySelector('canvas').width <= 400")
    assert tab.value("document.documentElement.scrollWidth") <= 400
    assert tab.complaints == []


def test_everything_has_a_name_for_a_screen_reader(browser: Browser, tmp_path: Path) -> None:
    tab = Tab(browser).open(written(library(), tmp_path), "#c=0")
    nodes = tab.ask("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "searchbox", "tree", "treeitem", "image", "search", "navigation", "group")
    named = {role: set[str]() for role in roles}
    for node in nodes:
        role = node.get("role", {}).get("value")
        if role in ("button", "searchbox", "tree", "treeitem"):
            assert node["name"]["value"].strip(), node
        if role in named:
            named[role].add(node.get("name", {}).get("value", ""))
    assert "Search labels and paths" in named["searchbox"]
    assert "Clusters" in named["tree"]
    assert "sea, 251 photos, cohesion 0.61" in named["treeitem"]
    assert "Map of the library" in named["image"]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("grouped", [True, False])
def test_tiny_libraries(browser: Browser, tmp_path: Path, number: int, grouped: bool) -> None:
    photos = [PagePhoto("a.jpg", "A dog", 0, "success", x=3.0, y=3.0)][:number]
    clusters = [cluster("dog", None, number)] if grouped else []
    tab = Tab(browser).open(written(page(clusters, photos), tmp_path))
    assert ("There are no photos" in tab.text("main")) == (number == 0)
    for place in ("#c=0", "#q=dog", "#"):
        tab.go(place)
    tab.go("#q=dog")
    assert ("A dog" in tab.text("main")) == (number == 1)
    assert tab.count("canvas") == 1
    assert tab.complaints == []


def test_without_positions_and_numbers_that_json_lacks(browser: Browser, tmp_path: Path) -> None:
    photos = [
        PagePhoto("a.jpg", "A dog", 0, "success"),
        PagePhoto("b.jpg", "A cat", 0, "success", x=float("nan"), y=1.0),
        PagePhoto("c.jpg", "A cow", 0, "success", x=1.0, y=float("inf")),
    ]
    tab = Tab(browser)
    tab.open(written(page([cluster("pets", None, 3, cohesion=float("nan"))], photos), tmp_path))
    assert "No photo has a place on the map." in tab.text(".map")
    photos += [PagePhoto("d.jpg", "Far", 0, "success", x=1e308, y=-1e308)]
    photos += [PagePhoto("e.jpg", "Away", 0, "success", x=-1e308, y=1e308)]
    tab.open(written(page([cluster("pets", None, 5)], photos), tmp_path), "#c=0")
    assert "2 of 2 photos highlighted. 3 without a place are left out." in tab.text(".map")
    assert coloured(tab.picture("canvas")) > 20
    assert tab.complaints == []


def hostile_page() -> Page:
    photos = [
        PagePhoto(f"{text}/{n}.jpg", text, 0, text, text, n, n, text)
        for n, text in enumerate(HOSTILE)
    ]
    everywhere = " ".join(HOSTILE)
    sheet = [(n, jpeg("green")) for n in range(len(photos))] + [(0, SCRIPT.encode())]
    top = cluster(
        everywhere,
        None,
        len(photos),
        keywords=list(HOSTILE),
        exemplar=everywhere,
        span=everywhere,
        sheet=sheet,
    )
    return Page(everywhere, everywhere, everywhere, [top, cluster(SCRIPT, 0)], photos)


def test_hostile_text_comes_through_as_it_is() -> None:
    made = hostile_page()
    document = b"".join(render(made))
    data = data_of(document)
    assert (data["title"], data["made"], data["summary"]) == (made.title, made.made, made.summary)
    [top, below] = data["clusters"]
    assert top["keywords"] == HOSTILE
    assert top["title"] == top["exemplar"] == top["span"] == made.title
    assert below["parent"] == 0
    assert data["photos"] == [
        [each.path, each.label, 0, each.status, each.taken, each.x, each.y, each.chunk]
        for each in made.photos
    ]
    ours = len(re.findall(rb"<script", b"".join(render(page([], [])))))
    assert document.count(b"<script") == document.count(b"</script") == ours + len(HOSTILE)
    assert not set(document.decode()) & set("\u202e\u2028\u2029\ufeff\x00\x1b\r")


def test_hostile_text_is_shown_and_does_nothing(
    browser: Browser, proxy: Proxy, tmp_path: Path
) -> None:
    path = written(hostile_page(), tmp_path)
    tab = Tab(browser)
    for place in ("", "#c=0", "#c=1", "#q=lone", "#q=<script>", "#q=%3Cimg+onerror%3E"):
        tab.open(path, place)
        assert SCRIPT in tab.value("document.title")
        assert tab.count("script:not([type])") == 1
        assert tab.count("img:not([src^='data:image/jpeg;base64,'])") == 0
        seen = tab.text()
        assert not set(seen) & set("\u202e\u2066\u200f\u2028\u2029\ufeff\x00\x1b\x07")
    tab.go("#c=0")
    seen = tab.value("document.querySelector('.photos').textContent")
    for text in (SCRIPT, IMAGE, r"\x1b[31mred", r"\u202egpj.exe", r"\udcff\ud800 lone", "שלום"):
        assert text in seen
    tab.go("#q=%5Cudcff")  # what is seen can be searched
    assert tab.count(".photo") == 1
    tab.mouse("mouseMoved", 240, 300)
    assert tab.complaints == []
    assert tab.requests == {path.as_uri()}
    assert proxy.asked_by_pages == []


def test_only_our_own_script_and_style_run(browser: Browser, proxy: Proxy, tmp_path: Path) -> None:
    path = written(library(), tmp_path)
    foreign = (
        b"<script>document.title = 'ran'</script><style>body { zoom: 3 }</style>"
        b"<img src='http://control.invalid/image.png' onerror='document.title = 1'>"
        b"<iframe src='http://control.invalid/frame'></iframe>"
    )
    document = path.read_bytes()
    path.write_bytes(document.replace(b"</body>", foreign + b"</body>"))
    tab = Tab(browser).open(path)
    assert tab.value("document.title") == "Holidays"
    assert tab.value("getComputedStyle(document.body).zoom") == "1"
    made_markup = "try { document.body.innerHTML = '<b>'; 'made' } catch { 'refused' }"
    assert tab.value(made_markup) == "refused"
    assert tab.value("fetch('http://control.invalid/').then(() => 'sent', () => 'refused')") == (
        "refused"
    )
    assert len(tab.complaints) >= 4
    assert proxy.asked_by_pages == []

    # The proxy would have seen it: without our policy it does.
    path.write_bytes(foreign)
    tab.open(path)
    tab.until("document.title === '1'")
    assert any("control.invalid/image.png" in line for line in proxy.asked_by_pages)
    proxy.asked.clear()


def test_the_parts_name_no_address_and_make_no_markup() -> None:
    for part in PARTS.iterdir():
        text = part.read_text("utf-8")
        assert not re.findall(r"https?:|//[a-z]|@import|url\(", re.sub(r"\s// .*", "", text))
        assert set(re.findall(r"(?:src|href)\s*=\s*(.{6})", text)) <= {'"data:'}
        assert not re.findall(r"(?:inner|outer)HTML|insertAdjacent|document\.write|eval\(", text)
        assert "</script" not in text or part.suffix == ".html"


def test_44000_photos(browser: Browser, tmp_path: Path) -> None:
    clusters = [cluster(f"group {n}", None, 440) for n in range(100)]
    photos = [
        PagePhoto(
            f"{n // 1000}/IMG_{n:05d}.jpg",
            f"Photo {n} of a lake and a mountain",
            n % 100,
            "success",
            x=n % 100 + (n * 7 % 31) / 31,
            y=(n * 37 % 1000) / 10,
        )
        for n in range(44_000)
    ]
    made = page(clusters, photos)
    assert max(len(piece) for piece in render(made)) < 1_000_000
    path = written(made, tmp_path)
    assert path.read_bytes() == b"".join(render(made))
    assert data_of(path.read_bytes())["photos"] == [
        [each.path, each.label, each.cluster, "success", None, each.x, each.y, ""]
        for each in photos
    ]
    tab = Tab(browser).open(path, "#q=lake")
    assert "44,000 photos of 44,000" in tab.text("main")
    assert tab.count(".photo") == 200
    tab.go("#q=photo+43999")
    assert tab.count(".photo") == 1
    tab.go("#c=99")
    assert "440 of 44,000 photos highlighted" in tab.text(".map")
    assert coloured(tab.picture("canvas")) > 200
    assert tab.complaints == []


def test_a_picture_on_several_sheets_is_stored_once() -> None:
    document = b"".join(render(library()))
    assert re.findall(rb'id="picture-(\d+)"', document) == [b"0", b"250"]
    assert base64.b64encode(jpeg("blue")) in document
