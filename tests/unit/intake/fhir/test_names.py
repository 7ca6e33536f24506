"""Names of our drugs as systems write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.intake.fhir.names import names_ours

UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u0301\u200e"


@pytest.mark.parametrize(
    "text",
    [
        "Spravato™ 28 mg nasal spray", "KETALAR™ 50mg/mL", "SPRAVATO® 28 mg", "Ketalar©", "Spravato℠", "spravato&trade; 28", "K&eacute;tamine",
        "Kétamine", "Ket\u00adamine", "ketámina", "KETAMİN", "ketamın", "ＫＥＴＡＭＩＮＥ", "KET AMINE", "ket-amine", "es-ket amine",
        "ketamin", "ketamina", "cetamina", "Escetamina", "chetamina", "ketamiini", "esketamin", "esketamina", "Eskétamine", "arketamine",
        "ketamine hydrochloride", "ketamine HCl", "Ketaminhydrochlorid", "KETAMINEHCL50", "KETAMINI HYDROCHLORIDUM", "s-ketamine", "inj_ketamine",
        "KETALARINJ", "Ketanest S", "Ketaset",
    ],
)  # fmt: skip
def test_a_name_of_ours(text: str) -> None:
    """Marks behind it, accents, width, what is not seen, other languages, salts."""
    assert names_ours(text)


@pytest.mark.parametrize(
    "text",
    [
        "norketamine", "dehydronorketamine", "acetaminophen", "acetamina phen", "ketorolac", "ketoconazole", "tiletamine", "Market amine",
        "TM", "phencyclidine", "", "spirava", "ketotifen", "basket amino acids", "racketaset",
    ],
)  # fmt: skip
def test_no_name_of_ours(text: str) -> None:
    """Metabolites and what only looks alike."""
    assert not names_ours(text)


@settings(max_examples=30)
@given(st.sampled_from(["ketamine", "esketamine", "spravato", "ketalar"]), st.data())
def test_what_is_not_seen_hides_nothing(name: str, data: st.DataObject) -> None:
    """A name stays one whatever its case, with unseen characters and accents anywhere in it."""
    written = "".join(
        (letter.upper() if data.draw(st.booleans()) else letter)
        + data.draw(st.text(st.sampled_from(UNSEEN), max_size=2))
        for letter in name
    )
    assert names_ours(f"given: {written}™ today")
