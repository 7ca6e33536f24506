"""A folder of policies as a `Bundle`, its plain JSON form, and the bundle made again from that form (policy-language.md, "What a bundle is").

The digest is SHA-256 over the canonical JSON of the parsed documents with the versions of language and vocabulary: what a document says,
not how it is laid out. Made again from the database, a bundle has the same digest without any YAML being read, and a rule is
typed when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from compliance.domain.canonical import digest_of, encode
from compliance.domain.codes import Codes
from compliance.domain.vocabulary import VERSION as VOCABULARY_VERSION
from compliance.errors import Place, PolicyError, Problem
from compliance.policy.files import BUNDLE_FILE, REQUIREMENTS_FILE, SITES_FOLDER, policy_files
from compliance.policy.lazy import LazyRules
from compliance.policy.located import Document, as_json, from_json
from compliance.policy.model import Bundle, Requirement, Rule, SiteParameters, Tables
from compliance.policy.rules import read_rule
from compliance.policy.site_codes import other_meanings, stored_codes
from compliance.policy.sites import read_site, stored_site
from compliance.policy.tables import read_requirements, read_tables

LANGUAGE_VERSION: Final = 1
ARTIFACT: Final = "compliance.bundle"
"""By this name a `policy_activation` puts a bundle into force; its ``sha256`` is the bundle's digest."""


def load_folder(
    path: Path, sites: Path | None = None, shown: Callable[[Path], str] = str
) -> tuple[Bundle | None, tuple[Problem, ...]]:
    """The bundle in a folder, or every problem of every file in it. `shown` is how a file is called in messages.

    Rules are all ``**/*.yaml`` below it but ``bundle.yaml``, ``requirements.yaml`` and what single sites say in ``sites/``
    (and in the folder `sites`, where one is named). Without a list of requirements of its own (a folder of
    clinic rules) a folder's rules may name any id.
    """
    from compliance.policy.documents import read_file  # noqa: PLC0415 - a stored bundle is read without any YAML parser

    if not path.is_dir():
        return None, (
            Problem(
                Place(shown(path)),
                "there is no such folder",
                "name the folder that holds bundle.yaml",
                "policy",
            ),
        )
    problems: list[Problem] = []
    documents: dict[str, Document] = {}
    for file in policy_files(path):
        name = file.relative_to(path).as_posix()
        read = read_file(file, shown(file))
        if isinstance(read, tuple):
            problems.extend(read)
        else:
            documents[name] = read
    requirements = _requirements(documents.pop(REQUIREMENTS_FILE, None), problems)
    shared = documents.pop(BUNDLE_FILE, None)
    tables = _shared(shown(path / BUNDLE_FILE), shared, problems)
    for file in sorted(sites.glob("*.yaml")) if sites is not None else ():
        read = read_file(file, str(file))
        if isinstance(read, tuple):
            problems.extend(read)
        else:
            documents[f"{SITES_FOLDER}/{file.name}"] = read
    of_sites = [documents.pop(name) for name in sorted(documents) if name.startswith(f"{SITES_FOLDER}/")]
    rules, ids = _rules(documents, requirements, problems)
    own, forms = _sites(of_sites, rules, problems)
    files = {id(document): name for name, document in documents.items()}
    if problems or tables is None or shared is None:
        return None, tuple(problems)
    name, version, read_in = tables
    form: dict[str, Any] = {
        "bundle": as_json(shared.value),
        "rules": {rule.id: as_json(ids[rule.id].value) for rule in rules},
        "places": {
            rule.id: {"file": files[id(ids[rule.id])], "line": rule.place.line} for rule in rules
        },
    }  # fmt: skip
    if forms:
        form["sites"] = forms
    return Bundle(name, version, digest(form), rules, read_in, form, own, _codes(forms)), ()


def bundle_from_documents(documents: Mapping[str, Any]) -> Bundle:
    """The bundle of a form that `load_folder` made, as the database keeps it. Raises PolicyError where it cannot be read."""
    shared = Document(BUNDLE_FILE, from_json(documents["bundle"]), {})
    tables, problems = read_tables(shared)
    if tables is None:
        raise PolicyError(
            "this bundle cannot be read by this version of the software", "load its policies anew", problems
        )
    name, version, read_in = tables
    forms = documents.get("sites", {})
    own = {site: stored_site(from_json(said)) for site, said in forms.items() if "parameters" in said}
    rules = LazyRules(documents)
    return Bundle(name, version, digest(documents), rules, read_in, documents, own, _codes(forms))


def digest(documents: Mapping[str, Any]) -> str:
    """``sha256:<hex>`` of what the documents say; `places` is left out."""
    return digest_of(digested(documents))


def digested(documents: Mapping[str, Any]) -> bytes:
    """The bytes that the digest is of: canonical JSON, with the versions of language and vocabulary."""
    said = {
        "bundle": documents["bundle"],
        "rules": documents["rules"],
        "language": LANGUAGE_VERSION,
        "vocabulary": VOCABULARY_VERSION,
    }
    if documents.get("sites"):
        said["sites"] = documents["sites"]
    return encode(said)


def load_requirements(
    path: Path, shown: Callable[[Path], str] = str
) -> tuple[tuple[Requirement, ...], tuple[Problem, ...]]:
    """The requirements of a folder of policies; none where it has no such list. `shown` is how its file is called in messages."""
    from compliance.policy.documents import read_file  # noqa: PLC0415 - a stored bundle is read without any YAML parser

    if not (path / REQUIREMENTS_FILE).is_file():
        return (), ()
    read = read_file(path / REQUIREMENTS_FILE, shown(path / REQUIREMENTS_FILE))
    return ((), read) if isinstance(read, tuple) else read_requirements(read)


def _requirements(document: Document | None, problems: list[Problem]) -> frozenset[str] | None:
    if document is None:
        return None
    requirements, wrong = read_requirements(document)
    problems.extend(wrong)
    return frozenset(requirement.id for requirement in requirements)


def _shared(
    source: str, document: Document | None, problems: list[Problem]
) -> tuple[str, str, Tables] | None:
    if document is None:
        if not any(problem.place.source == source for problem in problems):
            problems.append(no_bundle(source))
        return None
    tables, wrong = read_tables(document)
    problems.extend(wrong)
    return tables


def no_bundle(source: str) -> Problem:
    """A folder without the tables that all rules rest on."""
    remedy = "write one with name, version, holidays, drugs, states and permissions"
    return Problem(Place(source), "this folder has no bundle.yaml", remedy, "policy")


def _rules(
    documents: Mapping[str, Document], requirements: Collection[str] | None, problems: list[Problem]
) -> tuple[tuple[Rule, ...], dict[str, Document]]:
    """The rules in the order of their ids."""
    rules: dict[str, Rule] = {}
    sources: dict[str, Document] = {}
    for document in documents.values():
        rule, wrong = read_rule(document, requirements)
        problems.extend(wrong)
        said = document.value.get("id") if isinstance(document.value, dict) else None
        if isinstance(said, str) and said in sources:
            first = sources[said].place(("id",))
            message = f"the id '{said}' is taken: it stands in {first.source}, line {first.line}, too"
            problems.append(
                document.problem(("id",), message, "give one of the two another id and file name")
            )
        elif isinstance(said, str):
            sources[said] = document
        if rule is not None:
            rules.setdefault(rule.id, rule)
    return tuple(rules[rule_id] for rule_id in sorted(rules)), sources


def _sites(
    documents: Collection[Document], rules: Collection[Rule], problems: list[Problem]
) -> tuple[dict[str, SiteParameters], dict[str, Any]]:
    """What single sites say, typed and as plain JSON. Rules that could not be read are already reported, so nothing is said of them."""
    sites: dict[str, SiteParameters] = {}
    forms: dict[str, Any] = {}
    for document in documents if not problems else ():
        site, values, wrong = read_site(document, rules)
        problems.extend(wrong)
        problems.extend(other_meanings(document, [other for other in documents if other is not document]))
        forms[site] = as_json(document.value)
        if values:  # a site that only names its codes is under the same law as all others
            sites[site] = values
    return sites, forms


def _codes(forms: Mapping[str, Any]) -> Codes:
    return Codes.together(stored_codes(said, site) for site, said in forms.items())
