"""What a site's own systems call things: read, held against each other, kept with the bundle (``codes`` of a site's file)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.main import application
from compliance.domain.codes import GROUPS, Code
from compliance.domain.drugs import DRUGS
from compliance.policy.bundle import bundle_from_documents, load_folder
from compliance.policy.documents import read_text
from compliance.policy.layout import formatted, same
from compliance.policy.site_codes import POINTS, other_meanings
from compliance.policy.sites import read_site

TESTS = Path(__file__).parents[2]
BROKEN = TESTS / "policies" / "broken_sites"
NAMES = sorted(path.stem for path in BROKEN.glob("*.yaml"))
HEAD = "site: {}\nowner: o\nreview_by: 2099-01-01\n"
CODES = """\
codes:
  drugs:
    - {system: 'urn:oid:1.2.3', code: KET50, is: ketamine_inj_50mg_ml}
  locations:
    - {code: Location/12}
  practitioners:
    - {code: Practitioner/7, is: RN-A1}
    - {system: 'http://hl7.org/fhir/sid/us-npi', code: '1234567893', is: MD-A1}
  encounters:
    - {system: 'http://snomed.info/sct', code: '12345'}
  points:
    - {system: 'urn:clinic:points', code: PRE, is: pre_dose}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A small folder of policies."""
    made = tmp_path_factory.mktemp("library") / "policies"
    shutil.copytree(TESTS / "cli" / "policies", made)
    return made


@pytest.fixture
def policies(library, monkeypatch):
    """That folder as the current one, with no site in it."""
    shutil.rmtree(library / "sites", ignore_errors=True)
    (library / "sites").mkdir()
    monkeypatch.chdir(library)
    return library


def sited(policies: Path, site: str, text: str) -> None:
    (policies / "sites" / f"{site}.yaml").write_text(HEAD.format(site) + text, encoding="utf-8")


def answer(*words: str) -> tuple[str, int]:
    """What `policy check` prints, and how it ends."""
    result = CliRunner().invoke(application, ["policy", "check", *words], env={"NO_COLOR": "1"})
    return result.output, result.exit_code


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_is_answered_word_for_word(name, policies):
    """Each with its place, the text and what to do: `tests/policies/broken_sites/NAME.yaml` is the mistake, `NAME.txt` the answer."""
    shutil.copy(BROKEN / f"{name}.yaml", policies / "sites")
    expected = ((BROKEN / f"{name}.txt").read_text(encoding="utf-8"), 1)
    assert answer(f"sites/{name}.yaml", "--no-cache") == expected


def test_every_fixture_has_its_answer_and_every_answer_its_fixture():
    """A fixture without an expectation would test nothing."""
    assert {path.stem for path in BROKEN.glob("*.txt")} == set(NAMES)


def test_codes_are_kept_with_the_bundle_and_its_digest(policies):
    """Read from files and made again from the stored form they are the same; a site that only names codes is under the law of all."""
    plain, _ = load_folder(policies)
    sited(policies, "S1", CODES)
    made, problems = load_folder(policies)
    assert problems == ()
    again = bundle_from_documents(made.documents)
    assert (made.digest, made.codes, made.sites) == (again.digest, again.codes, again.sites)
    assert made.digest != plain.digest and made.sites == {}
    assert made.codes.drugs == {Code("urn:oid:1.2.3", "KET50"): "ketamine_inj_50mg_ml"}
    assert made.codes.locations == {Code("", "Location/12"): "S1"}
    assert made.codes.practitioners[Code("http://hl7.org/fhir/sid/us-npi", "1234567893")] == "MD-A1"
    assert made.codes.encounters == {Code("http://snomed.info/sct", "12345")}
    assert made.codes.points == {Code("urn:clinic:points", "PRE"): "pre_dose"}


VALUES = "parameters:\n  stay-two-hours:\n    minimum_observation:\n      - {from: 2026-01-01, value: 3h, cites: c}\n"


def test_a_site_may_have_values_and_codes(policies):
    """Both are there, in the files and in the stored bundle."""
    sited(policies, "S1", VALUES + CODES)
    made, problems = load_folder(policies)
    assert problems == ()
    again = bundle_from_documents(made.documents)
    assert list(again.sites) == ["S1"] and again.sites == made.sites
    assert again.codes == made.codes and len(made.codes.practitioners) == 2


def test_a_code_that_means_another_thing_at_another_site_is_told_at_both(policies):
    """In the folder and of either file alone, and anew when only the other file changed; the same meaning is no mistake."""
    sited(policies, "S1", CODES)
    sited(policies, "S2", CODES.replace("Location/12", "Location/13"))
    assert answer("sites/S1.yaml")[1] == 0
    sited(policies, "S2", CODES.replace("_50mg", "_10mg"))
    told, code = answer("sites/S1.yaml")
    assert code == 1
    assert "sites/S1.yaml:6:39: codes.drugs[1].code: 'KET50' means ketamine_inj_10mg_ml in sites/S2.yaml, line 6" in told  # fmt: skip
    assert "codes.locations[1].code: 'Location/12' means S2 in sites/S2.yaml, line 8" in told
    made, problems = load_folder(policies, None, lambda path: str(path.relative_to(policies)))
    assert made is None
    assert [(one.place.source, one.place.line) for one in problems] == [
        ("sites/S1.yaml", 6), ("sites/S1.yaml", 8), ("sites/S2.yaml", 6), ("sites/S2.yaml", 8),
    ]  # fmt: skip
    assert all(str(one) in answer(".")[0] for one in problems)


names = st.text(st.sampled_from("AB/1"), min_size=1, max_size=2)
meanings = {"drugs": sorted(DRUGS)[:2], "practitioners": ["RN-A1", "MD-A1"], "points": list(POINTS[:2])}


@st.composite
def site_texts(draw, site):
    lines = []
    for group in GROUPS:
        rows = []
        for name in draw(st.lists(names, max_size=3)):
            said = f", is: {draw(st.sampled_from(meanings[group]))}" if group in meanings else ""
            rows.append(f"    - {{system: 's:{draw(st.integers(0, 1))}', code: '{name}'{said}}}\n")
        lines += [f"  {group}:\n", *rows] if rows else []
    return HEAD.format(site) + ("codes:\n" + "".join(lines) if lines else "codes: {points: [{code: X, is: pre_dose}]}\n")  # fmt: skip


@settings(max_examples=60)
@given(site_texts("S1"), site_texts("S2"))
def test_files_are_refused_exactly_where_a_code_has_two_meanings(first, second):
    """Law: of all rows of one group of both files, no system and code stand for two things; and the layout keeps what a file says."""
    documents = [read_text(first, "S1.yaml"), read_text(second, "S2.yaml")]
    alone = [bool(read_site(document, ())[2]) for document in documents]
    across = [bool(other_meanings(documents[i], [documents[1 - i]])) for i in (0, 1)]
    assert across[0] == across[1]

    def rows(document):
        for group, written in document.value["codes"].items():
            for row in written:
                meant = row.get("is", document.value["site"] if group == "locations" else "")
                yield (group, row.get("system"), row["code"]), meant

    said = [set(rows(document)) for document in documents]
    assert alone == [len({key for key, _ in one}) < len(one) for one in said]
    together = said[0] | said[1]
    assert (any(alone) or across[0]) == (len({key for key, _ in together}) < len(together))
    for text, document in zip((first, second), documents, strict=True):
        laid = formatted(text.encode(), "S.yaml")
        again = read_text(laid, "S.yaml")
        assert formatted(laid.encode(), "S.yaml") == laid
        ordered = {group: document.value["codes"][group] for group in again.value["codes"]}
        assert same(again.value["codes"], ordered)
