"""A report as HTML: what is in it, in which order, and that no value of it becomes anything but text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.reports.forms.html import html
from compliance.reports.forms.markup import anchor, as_it_is, plain, shown
from compliance.reports.forms.plain import LEVELS, visible
from compliance.reports.page import Chart, Column, Item, Level, Section, Table
from tests.reports.random_reports import reports
from tests.reports.sample import CHECKPOINT, NASTY, SAMPLE, STOCK

PAGE = html(SAMPLE)
SURROGATE, BIDI = "\ud83d", "\u202e"


def parsed(page: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(page)


def text_of(element: lxml.html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


@pytest.fixture(scope="module")
def tree() -> lxml.html.HtmlElement:
    return parsed(PAGE)


# What is in it


def test_the_top_says_what_it_is_about_and_how_bad_it_is(tree):
    """Title, day of the week, date, sites, the level in words, the headline."""
    (header,) = tree.xpath("/html/body/header")
    assert text_of(header.find(".//h1")) == "Nightly report Thursday 2026-03-05"
    assert [text_of(site) for site in header.xpath(".//ul[@aria-label='Sites']/li")] == ["SITE-A", "SITE-B"]
    assert [text_of(line) for line in header.xpath("./div[2]/p")] == ["Alarm", SAMPLE.headline]
    assert tree.findtext(".//title") == "Nightly report 2026-03-05: SITE-A, SITE-B"


@pytest.mark.parametrize(
    ("date", "said"),
    [("2024-02-29", "Thursday 2024-02-29"), ("2026-02-30", "2026-02-30"), ("March", "March"), ("", "")],
)
def test_a_date_has_its_day_of_the_week_where_it_is_one(date, said):
    """What is no date stands as it is."""
    assert text_of(parsed(html(replace(SAMPLE, date=date))).find(".//h1/span")) == said


def test_the_contents_name_each_section_with_level_and_sentence_the_most_urgent_first(tree):
    """Sections of one level stay in the report's order; each entry leads to its section."""
    said = [
        (text_of(row.find("p")), text_of(row.find(".//a")), text_of(row.find("div/p")))
        for row in tree.xpath("//nav/ol/li")
    ]
    order = ("violations", "stock", "trends", "log", "late")
    sections = [SAMPLE.section(name) for name in order]
    assert said == [(LEVELS[one.level], one.title, one.summary) for one in sections]
    for link, section in zip(tree.xpath("//nav//a/@href"), sections, strict=True):
        (target,) = tree.xpath(f"//section[@id='{link[1:]}']")
        assert text_of(target.find(".//h2")) == section.title


def test_sections_stand_in_the_order_of_the_report_with_their_level_in_words(tree):
    """The same word as in the contents."""
    said = [
        (text_of(one.find(".//h2")), text_of(one.xpath("./div/p")[0])) for one in tree.xpath("//main/section")
    ]
    assert said == [(one.title, LEVELS[one.level]) for one in SAMPLE.sections]


def test_headings_go_down_one_step_at_a_time(tree):
    """One h1, and below each heading none that skips a step."""
    levels = [int(heading.tag[1]) for heading in tree.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_an_item_says_everything(tree):
    """What happened, where, what to do, the values, the citation, the rule, the entries."""
    item = SAMPLE.section("violations").items[0]
    article = tree.xpath("//article")[0]
    assert text_of(article.find(".//h3")) == item.title
    assert article.get("aria-labelledby") == article.find(".//h3").get("id")
    assert [text_of(line) for line in article.xpath(".//p")] == ["Alarm", item.where, item.todo]
    pairs = {text_of(pair.find("dt")): text_of(pair.find("dd")) for pair in article.xpath(".//dl/div")}
    assert pairs == {
        "left": "1h 40m", "asked": "2h", "Written in": item.cites, "Rule": item.rule, "Severity": "deny",
        "When": "2026-03-05 11:40:00 -06:00", "Site": "SITE-A", "Event": "12ab", "Finding": "f00d", "Log entries": "812, 790",
    }  # fmt: skip


def test_what_an_item_has_not_is_not_mentioned():
    """An item of a title alone has no empty headings or lists."""
    bare = Section("one", "One", Level.NOTICE, "One.", (Item(Level.NOTICE, "Only this"),))
    (article,) = parsed(html(replace(SAMPLE, sections=(bare,)))).xpath("//article")
    assert text_of(article) == "Notice Only this"
    assert not article.xpath(".//dl|.//h4")


def test_tables_have_captions_and_headings_that_say_what_they_head(tree):
    """Each in a region that a keyboard can scroll; the first columns name their row."""
    for table in (STOCK, SAMPLE.section("trends").tables[0]):
        (region,) = tree.xpath(f"//div[@id='table-{table.id}']")
        assert (region.get("role"), region.get("tabindex")) == ("region", "0")
        assert region.get("aria-label") == f"Table: {table.caption}"
        assert text_of(region.find(".//caption")) == table.caption
        heads = region.xpath(".//thead/tr/th")
        assert [(text_of(head), head.get("scope")) for head in heads] == [
            (column.heading, "col") for column in table.columns
        ]
        for row in region.xpath(".//tbody/tr"):
            assert [cell.get("scope") for cell in row[: table.headers]] == ["row"] * table.headers
            assert {cell.tag for cell in row[table.headers :]} == {"td"}


def test_numbers_stand_at_the_right_with_their_points_below_each_other(tree):
    """Digits of the same place stand below each other: what is missing behind the point is added, unseen and not to be copied."""
    rows = tree.xpath("//div[@id='table-stock-lots']//tbody/tr")
    cells = [(text_of(row[4]), row[4].get("class"), row[4].get("data-room")) for row in rows]
    assert cells == [
        ("12.5", "number", None),
        ("–not known", "number", None),
        ("6", "number", ".0"),
    ]
    assert [text_of(row[3]) for row in rows] == ["1,000", "0", "40"]
    assert [text_of(row[5]) for row in rows] == ["−2", "0", "0"]


def test_what_is_not_known_is_a_dash_to_the_eye_and_words_to_the_ear(tree):
    """A reader for the blind does not read the dash."""
    cell = tree.xpath("//div[@id='table-stock-lots']//tbody/tr[2]/td[2]")[0]
    assert [(part.text, part.get("aria-hidden")) for part in cell] == [("–", "true"), ("not known", None)]


def test_a_table_without_rows_is_said_in_words(tree):
    """Its caption, and what the report says of it."""
    (line,) = tree.xpath("//*[@id='table-late-entries']")
    assert (line.tag, text_of(line)) == ("p", "Entries that came late: no entry came late")


def test_notes_and_words_to_be_copied_are_there(tree):
    """A note as a paragraph; a checkpoint to the letter (lxml keeps the line's end that a browser leaves out after ``<pre>``)."""
    assert [text_of(note) for note in tree.xpath("//section[@id='section-stock']/p[@class='note']")] == [
        "Overfill is not stock."
    ]
    assert tree.find(".//pre").text_content().removeprefix("\n") == CHECKPOINT


def test_the_foot_says_what_it_was_made_from(tree):
    """Origin, size, root, policies, edition."""
    pairs = {text_of(pair.find("dt")): text_of(pair.find("dd")) for pair in tree.xpath("//footer//dl/div")}
    assert pairs == {
        "Log": SAMPLE.origin, "Entries": "1,636", "Root": SAMPLE.root, "Policies": SAMPLE.policies, "Edition": "1",
    }  # fmt: skip


def test_whoever_cannot_see_or_point_finds_the_parts(tree):
    """Language, landmarks, a link past the contents, names for all that refers to one."""
    assert tree.get("lang") == "en"
    assert [part.tag for part in tree.find("body")] == ["a", "header", "nav", "main", "footer"]
    assert tree.find("body/a").get("href") == "#" + tree.find("body/main").get("id")
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    referred = " ".join(tree.xpath("//@aria-labelledby")).split()
    assert referred
    assert set(referred) <= set(ids)


def test_a_chart_stands_before_its_table_and_is_told_in_words(tree):
    """A figure with a title, a description with the extremes, a legend by name."""
    (drawn,) = tree.xpath("//div[contains(@class, 'drawn')]")
    assert [part.get("id") for part in drawn.xpath(".//figure|.//div[@role='region']")] == [
        "chart-sessions",
        "table-trend-sessions",
    ]
    svg = drawn.xpath(".//svg[@role='img']")[0]
    assert [svg.findtext("title"), svg.findtext("desc")] == [
        "Sessions by week",
        (
            "Bars. Week from: 2026-01-01 to 2026-03-22. Sessions: lowest 20, highest 30. Flagged: lowest 0, highest 3. "
            "The table beside it has the numbers."
        ),
    ]
    assert [text_of(name) for name in drawn.xpath(".//figure/ul/li")] == ["Sessions", "Flagged"]


@pytest.mark.parametrize(
    "chart", [Chart("c", "C", "no", "week", ()), Chart("c", "C", "trend-sessions", "no", ())]
)
def test_a_chart_of_what_is_not_there_is_a_mistake(chart):
    """It is not left out silently."""
    with pytest.raises(KeyError):
        html(replace(SAMPLE, sections=(replace(SAMPLE.section("trends"), charts=(chart,)),)))


# Nothing but the file


def asks_for(page: str) -> list[str]:
    """What a page would load, run or send: any address in an attribute or in its style, any script."""
    tree = parsed(page)
    found = [
        str(element.tag) for element in tree.xpath("//script|//iframe|//object|//embed|//form|//base|//img")
    ]
    for element in tree.iter(lxml.html.etree.Element):
        for name, value in element.items():
            address = name in {"href", "src", "srcset", "action", "data", "poster", "ping"}
            if name.startswith("on") or (address and not value.startswith(("#", "data:,"))):
                found.append(name)
            if name != "content" and re.search(r"url\((?!#)|//", value):
                found.append(f"{name}={value}")
    found += re.findall(r"@import|url\(|//|expression\(", tree.findtext(".//style") or "")
    return found


def test_the_page_asks_for_nothing():
    """No script, no address, no form; and a browser is told to refuse them all."""
    assert asks_for(PAGE) == []
    (policy,) = parsed(PAGE).xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


@pytest.mark.parametrize(
    "planted",
    [
        "<script>1</script>", "<p onclick='1'>", "<a href='https:x'>", "<img src='data:,'>", "<link href='//x'>",
        "<p style='background:url(x)'>", "<style>@import 'x'</style>",
    ],
)  # fmt: skip
def test_the_check_of_what_a_page_asks_for_finds_each_way(planted):
    """So that the test above means something."""
    page = (
        PAGE.replace("<style>", planted + "<style>")
        if "style>" in planted
        else PAGE.replace("<main", planted + "<main")
    )
    assert asks_for(page) != []


def test_the_same_report_gives_the_same_bytes():
    """In another process too, whatever order its sets have."""
    here = sha256(PAGE.encode()).hexdigest()
    words = "from tests.reports.sample import SAMPLE; from compliance.reports.forms.html import html; import hashlib; print(hashlib.sha256(html(SAMPLE).encode()).hexdigest())"
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(root),
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
    }
    there = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, env=environment, check=True
    )
    assert there.stdout.strip() == here


# Whatever a value says


def test_hostile_texts_stay_texts(tree):
    """Where an item says them, they are read as they were written, and what cannot be seen is shown."""
    article = tree.xpath("//article")[1]
    said = NASTY.replace(BIDI, "[U+202E]")
    assert text_of(article.find(".//h3")) == said
    assert [text_of(pair) for pair in article.xpath(".//dl[@class='values']//dd")] == [said]
    assert not tree.xpath("//script|//b")
    assert BIDI not in PAGE


ODD = st.one_of(
    st.text(max_size=30),
    st.text(st.sampled_from("<>&\"'`=/-!;#x\\ \t\n\r\0" + BIDI + "\u2066\u200b\ufeff\x85" + SURROGATE), max_size=12),
    st.sampled_from(["</style>", "-->", "]]>", "javascript:1", "</title><script>", "' onload='1", '" onload="1', "${1}", "{{1}}", "&lt;b&gt;"]),
)  # fmt: skip


def shapes(page: str) -> set[tuple[str, ...]]:
    """The elements of a page, each with the names of its attributes."""
    return {
        (str(element.tag), *sorted(element.keys())) for element in parsed(page).iter(lxml.html.etree.Element)
    }


def everything() -> set[tuple[str, ...]]:
    """All shapes that the pages here may have: those of harmless reports with all kinds of cells, named and not, and drawings of them."""
    kinds = ("text", "count", "quantity", "instant", "date", "entries")
    columns = tuple(Column(kind, kind * (1 + 9 * (kind == "text")), kind) for kind in kinds)
    rows = ((None,) * 6, ("a",) * 6, ("1",) * 6, ("1.25",) * 6, ("2026-03-05",) * 6, ("a\u202e",) * 6)
    long = Table("t", "T", columns, (*rows, ("a" * 90,) * 6), headers=0)
    short = Table("t", "T", columns, (("1", *["a"] * 5),), headers=6)
    charts = tuple(
        Chart(x, x, "t", x, kinds[1:], form) for x in ("text", "date") for form in ("bars", "lines")
    )
    item = Item(Level.GOOD, *["2026-03-05"] * 10, {"a": "b"}, (1,))
    texts = Section("s", "S", Level.GOOD, "S.", (item,), (replace(long, rows=()),), (), ("a",), "a\u202e\n")
    drawn = [
        Section(f"s{number}", "S", Level.GOOD, "S.", tables=(table,), charts=charts)
        for number, table in enumerate((long, short, replace(long, headers=6)))
    ]
    return shapes(html(replace(SAMPLE, sections=(texts, *drawn)))) | shapes(PAGE)


SHAPES = everything()


@given(reports())
@settings(max_examples=60)
def test_no_element_and_no_attribute_comes_from_a_value(report):
    """Whatever its texts say, a page has only elements of the known shapes, and asks for nothing; and it can be written as UTF-8."""
    page = html(report)
    assert shapes(page) <= SHAPES
    assert asks_for(page) == []
    assert page.encode()
    assert not re.search(
        f"[\x00-\x08\x0b-\x1f{BIDI}\u2066]", re.sub("<pre>.*?</pre>", "", page, flags=re.DOTALL)
    )


def test_the_check_of_shapes_finds_what_a_value_brings():
    """An unescaped value is found, so that the property above means something."""
    for broken in ("<b>x</b>", "<p title='x'>x</p>", "<script>x</script>"):
        assert not shapes(PAGE.replace("Overfill is not stock.", broken)) <= SHAPES


@given(ODD)
def test_a_text_comes_back_as_it_was_once_it_is_read_as_html(text):
    """In an element and in an attribute; what cannot be seen as its number."""
    element = lxml.html.fragment_fromstring(f'<p title="{plain(text)}">{shown(text)}</p>')
    assert element.text_content() == visible(text)
    assert re.sub("[\t\n]", " ", element.get("title")) == re.sub("[\t\n]", " ", visible(text))


@pytest.mark.parametrize(
    "unseen",
    [*"\x00\x07\x1b\r\x7f\x85\xad\u061c\u200b\u200e\u200f\u2028\u202a\u202e\u2060\u2066\u2069\ufeff\ud800", "\U000e0041"],
)  # fmt: skip
def test_each_character_that_hides_or_turns_is_shown_by_its_number(unseen):
    """In text, in attributes, and in what is to be copied."""
    number = f"[U+{ord(unseen):04X}]"
    assert shown(f"a{unseen}<") == f'a<span class="unseen">{number}</span>&lt;'
    assert plain(f"a{unseen}<") == f"a{number}&lt;"
    assert f'<bdi class="kept" data-is="{number}">' in as_it_is(f"a{unseen}b")


@pytest.mark.parametrize("text", ["é", "你", "a\tb\nc", "\u0301", "👍🏽", "\u00a0", "אבג"])
def test_what_can_be_seen_stays(text):
    """Letters of all languages, accents, line's ends."""
    assert shown(text) == plain(text) == as_it_is(text) == text


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1000", "1,000"), ("-2", "−2"), (-1234, "−1,234"), ("0.50", "0.50"), ("12345.678", "12,345.678"), (0, "0"), ("-0.5", "−0.5"),
        ("=1+1", "=1+1"), ("1e5", "1e5"), ("", ""), ("١", "١"), ("9" * 33 + ".1", ",".join(["999"] * 11) + ".1"),
    ],
)  # fmt: skip
def test_numbers_keep_all_their_digits(cell, said):
    """With commas and a real minus sign; what is no number stays as it is."""
    table = Table("t", "T", (Column("n", "N", "quantity"),), ((cell,),), headers=0)
    page = parsed(html(replace(SAMPLE, sections=(Section("s", "S", Level.GOOD, "S.", tables=(table,)),))))
    assert page.find(".//tbody//td").text_content() == said


def test_names_of_elements_have_no_space_in_them():
    """An id of a report may hold anything."""
    assert anchor("section", "a b\"'<é") == "section-a-b----"
