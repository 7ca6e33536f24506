"""A report in a real browser: what an accessibility checker says of it, what can be seen on a desk, on a telephone, in the dark and on paper.

Debian's Chromium, without a network; the page is a file.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from compliance.reports.forms.html import html
from compliance.reports.page import Chart, Column, Item, Level, Section, Table
from tests.reports.sample import CHECKPOINT, NASTY, SAMPLE

DESK = {"width": 1200, "height": 900}
PHONE = {"width": 320, "height": 640}
LONG = "W" * 200

QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

HARD = replace(
    SAMPLE,
    title=LONG,
    sites=tuple(f"SITE-{number}" for number in range(30)),
    origin=LONG,
    sections=(
        Section(
            "hard", LONG, Level.ALARM, LONG, (Item(Level.ALARM, *[LONG] * 10, {LONG: LONG}, tuple(range(10_000, 10_200))),),
            (
                Table(
                    "days", "Days", (Column("day", "Day", "date"), Column("given", "Given", "quantity"), Column("lost", "Lost", "quantity")),
                    tuple((f"2026-{1 + day // 28:02}-{1 + day % 28:02}", str(50 + day % 7), None if day == 9 else str(-day)) for day in range(84)),
                ),
                Table(
                    "wide", LONG, tuple(Column(f"c{place}", f"Heading {place}", "quantity" if place else "text") for place in range(14)),
                    tuple((name, *(f"{1000 * place}.{place}" for place in range(13))) for name in (LONG, "\u05d0\u05d1\u05d2 (1)", NASTY)),
                ),
                Table("persons", "Persons", (Column("person", "Person"), Column("lost", "Lost", "count")), tuple((f"Person {n} {LONG}", n) for n in range(9))),
            ),
            (Chart("days", "Days", "days", "day", ("given", "lost"), "lines"), Chart("persons", "Persons", "persons", "person", ("lost",))),
            (LONG,), "\n" + LONG + "\n\ta\u202eb\u2066c\rd \u00e9\n\n",
        ),
    ),
)  # fmt: skip


FAULTS = (
    ("color-contrast", "--quiet: #57606a", "--quiet: #b9bec4"),
    ("html-has-lang", ' lang="en"', ""),
    ("svg-img-alt", ' aria-labelledby="chart-sessions-title chart-sessions-desc"', ""),
    ("svg-img-alt", ">Sessions by week</title>", "></title>"),
    ("scrollable-region-focusable", ' tabindex="0"', ""),
    ("heading-order", "<h3", "<h6"),
    ("list", "<ol>", "<ol><p>loose</p>"),
)
"""What somebody could break, by the name that axe-core has for it: what is replaced by what."""


def elsewhere(address: str) -> bool:
    return not address.startswith("file:")


@dataclass(frozen=True)
class Pages:
    """Pages by name, as files, and the browser that shows them."""

    browser: Browser
    folder: Path

    def write(self, name: str, page: str) -> None:
        (self.folder / f"{name}.html").write_text(page, encoding="utf-8")

    def context(self, *, script: bool = True) -> BrowserContext:
        """Without a network; whatever is no file is refused besides."""
        made = self.browser.new_context(java_script_enabled=script, offline=True, viewport=DESK)
        made.route(elsewhere, lambda route: route.abort())
        return made

    def go(self, page: Page, name: str) -> Page:
        page.goto((self.folder / f"{name}.html").as_uri())
        return page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """One browser for all tests here, with the pages written once."""
    program = shutil.which("chromium")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "this machine has no chromium (Debian's package)"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        made = Pages(browser, tmp_path_factory.mktemp("pages"))
        made.write("sample", html(SAMPLE))
        made.write("hard", html(HARD))
        yield made
        browser.close()


@pytest.fixture(scope="module")
def page(pages: Pages) -> Iterator[Page]:
    """One window for all tests that only look; each says how large it is and what it shows."""
    context = pages.context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    """Where the elements are that can be seen: left, right, top, bottom in pixels."""
    found: list[dict[str, float]] = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].filter(one => one.getClientRects().length)
            .map(one => one.getBoundingClientRect()).map(({left, right, top, bottom}) => ({left, right, top, bottom}))""",
        selector,
    )
    return found


def picture(page: Page, selector: str = "body") -> Image.Image:
    return Image.open(BytesIO(page.locator(selector).first.screenshot())).convert("RGB")


def colours(image: Image.Image) -> int:
    """How many different ones there are."""
    return len(image.getcolors(image.width * image.height) or ())


# Accessibility


def objections(page: Page) -> set[str]:
    """What axe-core objects to, and what it could not decide: letters in drawings, and those of the text to be copied where it is cut, are
    left to the test of all colours in test_html.py."""
    found = Axe().run(page, options={"resultTypes": ["violations", "incomplete"]}).response
    undecided = {
        one["id"]
        for one in found["incomplete"]
        for node in one["nodes"]
        if not node["html"].startswith(("<text", "<pre"))
    }
    return undecided | {one["id"] for one in found["violations"]}


def without_shades(page: Page) -> None:
    """axe-core does not judge letters on a gradient: the shades at the sides of tables are taken away."""
    style = "<style>.scroll { background: var(--sheet) !important }</style>"
    page.evaluate("style => document.head.insertAdjacentHTML('beforeend', style)", style)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_an_accessibility_checker_has_no_objection(pages, page, viewport, scheme):
    """Not even a slight one."""
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=scheme)
    without_shades(pages.go(page, "sample"))
    assert objections(page) == set()


def test_the_accessibility_checker_finds_what_is_wrong(pages, page):
    """Letters too pale, no language, a nameless drawing, a table that no key can scroll, a heading out of order, a list of what is no list."""
    text = html(SAMPLE)
    for _, right, wrong in FAULTS:
        assert right in text
        text = text.replace(right, wrong)
    pages.write("faulty", text)
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light")
    assert objections(pages.go(page, "faulty")) >= {name for name, _, _ in FAULTS}


def test_a_keyboard_reaches_the_sections_and_scrolls_a_wide_table(pages, page):
    """The first key shows the link past the contents; a table that is too wide is moved by the arrows."""
    page.set_viewport_size(PHONE)
    pages.go(page, "sample")
    assert boxes(page, ".skip")[0]["bottom"] <= 0
    page.keyboard.press("Tab")
    seen(page, "document.querySelector('.skip').getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    seen(page, "location.hash === '#sections'")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    seen(page, "document.activeElement.id === 'table-stock-lots'")
    page.keyboard.press("ArrowRight")
    seen(page, "document.activeElement.scrollLeft > 0")


def seen(page, so: str) -> None:
    """Waits until something is so. Playwright's own waiting evaluates text in the page, which the page's policy forbids."""
    until = time.monotonic() + 15
    while not page.evaluate(so):
        assert time.monotonic() < until, so
        page.wait_for_timeout(50)


# What can be seen


def test_a_long_table_keeps_its_headings_in_view(pages, page):
    """Its rows are moved below them, in a frame that is lower than the window."""
    page.set_viewport_size(DESK)
    pages.go(page, "hard")
    page.evaluate("document.querySelector('#table-days').scrollTo(0, 600)")
    (frame,), heads = boxes(page, "#table-days"), boxes(page, "#table-days thead th")
    assert frame["bottom"] - frame["top"] < DESK["height"]
    assert all(abs(head["top"] - frame["top"]) < 2 for head in heads)
    assert boxes(page, "#table-days tbody tr")[0]["bottom"] < frame["top"]


@pytest.mark.parametrize("name", ["sample", "hard"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_wider_than_the_window(pages, page, name, viewport):
    """Only tables and the text to be copied are moved sideways, each in its own frame. (WCAG 2.2, 1.4.10: 320 pixels.)"""
    page.set_viewport_size(viewport)
    pages.go(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    shown = boxes(
        page, "h1, h2, h3, h4, p:not(.heard), li, dl div, article, figure, svg text, .scroll, footer"
    )
    assert len(shown) > 50
    assert all(box["left"] >= 0 and box["right"] <= viewport["width"] + 0.5 for box in shown)


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (DESK, "dark"), (PHONE, "dark")])
def test_each_part_can_be_seen(pages, page, viewport, scheme):
    """The parts follow each other down the page, and none of them is blank, in the light and in the dark."""
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=scheme)
    pages.go(page, "sample")
    parts = boxes(page, "header, nav, main > section, footer")
    assert len(parts) == 3 + len(SAMPLE.sections)
    assert all(above["bottom"] <= below["top"] for above, below in pairwise(parts))
    whole = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    assert (whole.getpixel((2, 2))[0] < 64) == (scheme == "dark")
    for selector in ("header", "nav li", "article", "table", "pre", "figure", "footer"):
        box = boxes(page, selector)[0]
        part = whole.crop(tuple(int(box[side]) for side in ("left", "top", "right", "bottom")))
        assert colours(part) > 20, selector
        assert colours(Image.new("RGB", part.size)) == 1


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_bars_are_as_tall_as_their_numbers_and_stand_in_their_order(pages, page, viewport):
    """Seen as they are drawn, in pixels; from left to right by week, the second series beside the first."""
    page.set_viewport_size(viewport)
    pages.go(page, "sample")
    rows = SAMPLE.section("trends").tables[0].rows
    for number in (1, 2):
        bars = boxes(page, f"#chart-sessions g.series:nth-of-type({number}) rect")
        tall = [bar["bottom"] - bar["top"] for bar in bars]
        one = max(tall) / max(row[number] for row in rows)
        assert [round(height / one, 1) for height in tall if height > 1] == [
            row[number] for row in rows if row[number]
        ]
        assert all(left["right"] <= right["left"] for left, right in pairwise(bars))
    first, second = (boxes(page, f"#chart-sessions g.series:nth-of-type({n}) rect")[5] for n in (1, 2))
    assert first["right"] <= second["left"] + 1
    assert abs(first["bottom"] - second["bottom"]) < 1


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_words_of_a_chart_do_not_touch(pages, page, viewport):
    """Words that stand upright beside each other; those that are turned have a line's height between them."""
    page.set_viewport_size(viewport)
    for name, words, least in (
        ("sample", "#chart-sessions text.word", 2),
        ("hard", "#chart-days text.word", 2),
    ):
        pages.go(page, name)
        row = boxes(page, words)
        assert len(row) >= least
        assert all(left["right"] + 3 < right["left"] for left, right in pairwise(row))
    turned = boxes(page, "#chart-persons text.turned")
    assert len(turned) == 9
    assert all(right["right"] - left["right"] > 11 for left, right in pairwise(turned))
    scale = boxes(page, "#chart-days text.number")
    assert all(below["bottom"] <= above["top"] for below, above in zip(scale[1:], scale, strict=False))


def test_it_is_all_there_without_script(pages, page):
    """The same text, seen by a browser that runs none."""
    page.set_viewport_size(DESK)
    with_script = pages.go(page, "sample").locator("body").inner_text()
    context = pages.context(script=False)
    without = pages.go(context.new_page(), "sample").locator("body").inner_text()
    context.close()
    assert without == with_script
    assert "What to do" in without


def test_a_text_to_be_copied_comes_out_to_the_letter(pages, page):
    """One click takes all of it, and what is pasted elsewhere is the checkpoint with its last line's end."""
    pages.go(page, "sample").click("pre")
    page.keyboard.press("Control+c")
    other = page.context.new_page()
    other.set_content("<textarea></textarea>")
    other.focus("textarea")
    other.keyboard.press("Control+v")
    assert other.input_value("textarea") == CHECKPOINT
    other.close()
    page.bring_to_front()


def test_a_hostile_text_changes_nothing_around_it(pages, page):
    """No element of it is on the page; what comes after it stands after it; in a text to be copied all is kept, and held in its place."""
    page.set_viewport_size(DESK)
    pages.go(page, "sample")
    assert page.evaluate("document.querySelectorAll('script, b').length") == 0
    shown = page.locator("article").nth(1).locator("h3").inner_text()
    assert shown == NASTY.replace("\u202e", "[U+202E]")
    pages.go(page, "hard")
    assert page.evaluate("document.querySelector('pre').textContent") == HARD.sections[0].verbatim
    named = page.evaluate(
        "[...document.querySelectorAll('.kept')].map(one => getComputedStyle(one, '::before').content)"
    )
    assert named == ['"[U+202E]"', '"[U+2066]"', '"[U+000D]"']
    b, c = page.evaluate(
        """() => { const range = document.createRange();
            return [...document.querySelector('pre').childNodes].filter(node => node.nodeType === 3 && 'bc'.includes(node.data))
                .map(node => (range.selectNode(node), range.getBoundingClientRect().left)); }"""
    )
    assert b < c


def test_nothing_is_asked_for_even_by_what_does_not_belong_there(pages, page):
    """The page asks for nothing; and were somebody's script or picture in it, its own policy would keep the browser from them."""
    planted = "<script>document.title = 'ran'</script><img src='https://elsewhere.example/x.png'></body>"
    tampered = html(SAMPLE).replace("</body>", planted)
    pages.write("tampered", tampered)
    pages.write("unguarded", tampered.replace("Content-Security-Policy", "x"))
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route(elsewhere, refuse)
    assert [pages.go(page, name).title() == "ran" for name in ("sample", "tampered")] == [False, False]
    assert asked == []
    assert pages.go(page, "unguarded").title() == "ran"
    assert asked == ["https://elsewhere.example/x.png"]
    page.unroute(elsewhere)


# On paper


def printed(pages: Pages, page: Page, name: str) -> pypdfium2.PdfDocument:
    page.emulate_media(color_scheme="dark")
    return pypdfium2.PdfDocument(pages.go(page, name).pdf(format="Letter", prefer_css_page_size=True))


def test_on_paper_all_is_there_on_white(pages, page):
    """Every section, item, table and note, the page's number; white paper, and no page blank, though the screen is dark."""
    paper = printed(pages, page, "sample")
    texts = [sheet.get_textpage().get_text_bounded() for sheet in paper]
    text = " ".join(" ".join(texts).split())
    for section in SAMPLE.sections:
        assert section.title in text
        assert section.summary in text
        assert all(table.caption in text for table in section.tables)
        assert all(note in text for note in section.notes)
    assert all(line in text for line in CHECKPOINT.split("\n"))
    assert all(f"{number} / {len(texts)}" in one for number, one in enumerate(texts, 1))
    (sheet,) = [one for one in texts if "Left 1h 40m" in one]
    assert "812, 790" in sheet
    for sheet in paper:
        image = sheet.render(scale=0.5).to_pil().convert("RGB")
        assert image.getpixel((3, 3)) == (255, 255, 255)
        assert colours(image) > 20


def test_on_paper_a_long_table_has_its_headings_on_each_page_and_nothing_is_cut_off(pages, page):
    """Every row is there once, and every column of a wide table."""
    texts = [sheet.get_textpage().get_text_bounded() for sheet in printed(pages, page, "hard")]
    rows = [f"2026-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(84)]
    with_rows = [text for text in texts if sum(row in text for row in rows) > 10]
    assert len(with_rows) > 1
    assert all("Given" in text and "Lost" in text for text in with_rows)
    assert all(sum(len(re.findall(rf"{row} ?5[0-6]", text)) for text in texts) == 1 for row in rows)
    assert all(sum(row in text for row in rows) > 1 for text in texts if "Given" in text and "Lost" in text)
    (wide,) = [text for text in texts if "Heading" in text]
    assert all(f"{1000 * place:,}.{place}" in wide for place in range(13))
