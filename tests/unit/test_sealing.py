"""Recording with a vault: words go there, commitments into the log, and every law of recording holds on."""

from __future__ import annotations

import itertools
import json

import pytest

from compliance.bundles import Bundles
from compliance.checking import Checker
from compliance.domain.free_text import IN_THE_VAULT, is_commitment
from compliance.domain.making import make_event
from compliance.engine.judging import Judge
from compliance.engine.signed import signable
from compliance.errors import DatabaseError
from compliance.intake.drafts import Rejected
from compliance.ledger.history import LogHistory
from compliance.ledger.vault import Vault, mark, reach
from compliance.ledger.vault.site_key import VARIABLE
from compliance.ledger.verify import State
from compliance.rebinding import rebound
from compliance.record import Recorded, Refused, Rejudged
from compliance.verifying import verify_log
from tests.recording import body, correction, draft, drafts, fresh_log, record, rule, standing, void
from tests.recording import bundle as bundle_of
from tests.vaults import lose, vaulted

SAID = "dropped by Jane Quimby in the corridor"
SIGNED = rule("signed", "signature", "has(event.matches_target) && event.matches_target")
TOLD = rule(
    "told", "wastage", "has(event.narrative)", message="What happened: {event.narrative}; {event.reason}."
)
LONG = rule("quiet", "wastage", "!has(event.narrative)", message="What happened: {event.narrative}.")
FORKED = rule(
    "forked", "correction", "other == null",
    given={"other": {"any": "correction", "by": ["corrects"], "where": "event.fields.all(c, it.fields.all(w, w.new != c.old))"}},
)  # fmt: skip


@pytest.fixture(scope="module")
def judge():
    return Judge(bundle_of(SIGNED, TOLD, LONG))


@pytest.fixture
def log(home, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "site.key"))
    with vaulted(home.url) as log:
        yield log


def wasted(event_id="w1", **fields):
    return body("wastage", id=event_id, patient="P1", narrative=SAID, reason="entered late", **fields)


def stands(log, event_id="w1"):
    return LogHistory(log).stands(event_id)


def words(log, event_id):
    with reach(log, write=False) as way:
        way.vault.persons.refresh()
        way.vault.texts.begin()
        return sorted(way.vault.texts.of(event_id))


def test_words_go_to_the_vault_and_a_commitment_into_the_log(log, judge):
    """The leaf holds no word; the vault holds them all, and the log verifies."""
    (result,) = record(log, judge, wasted())
    document = log.entry(result.idx).document()["event"]
    assert is_commitment(document["narrative"])
    assert is_commitment(document["reason"])
    assert document["narrative"] != document["reason"]
    assert b"Quimby" not in log.body(result.idx)
    assert words(log, "w1") == sorted([SAID, "entered late"])
    assert verify_log(log).state is State.SELF_CONSISTENT


def test_without_a_vault_words_stay_in_the_log(tmp_path, judge):
    """The mutant: a log that has no vault works as it always did."""
    with fresh_log(tmp_path) as log:
        (result,) = record(log, judge, wasted())
        assert b"Quimby" in log.body(result.idx)


def test_what_is_judged_is_what_the_log_holds(log, judge):
    """Presence is seen, words are not, and messages say where they lie. Binding the case again gives the same."""
    (result,) = record(log, judge, wasted())
    (finding,) = result.decision.findings
    assert finding.rule == "quiet"
    assert finding.because["event.narrative"] == IN_THE_VAULT
    assert standing(log)["w1"][0] == "violation"


def test_the_same_event_again_gives_its_first_receipt(log, judge):
    """By its words, in this batch and in a later one."""
    one = wasted()
    first, again = record(log, judge, draft(one), draft(one))
    assert (first.repeated, again.repeated, again.idx) == (False, True, first.idx)
    (third,) = record(log, judge, one)
    assert (third.repeated, third.idx) == (True, first.idx)
    assert log.size == first.idx + 1


@pytest.mark.parametrize("change", [{"narrative": SAID + "!"}, {"reason": None}, {"quantity": "7"}])
def test_another_event_under_the_same_id_is_an_error(log, judge, change):
    """Other words are other content, and the error tells nobody a digest of words."""
    record(log, judge, wasted())
    other = {name: value for name, value in {**wasted(), **change}.items() if value is not None}
    (refused,) = record(log, judge, other)
    assert isinstance(refused, Refused)
    assert refused.problems[0].code == "duplicate-id"
    assert refused.problems[0].message.count("sha256:") == 1


def test_an_event_as_the_log_holds_it_is_the_same_event(log, judge):
    """Sending back an export of the log writes nothing."""
    (first,) = record(log, judge, wasted())
    (again,) = record(log, judge, draft(log.entry(first.idx).document()["event"]))
    assert (again.repeated, again.idx) == (True, first.idx)


def test_nobody_can_pass_off_a_commitment(log, judge):
    """A text of that form under which the vault has nothing is refused, in an event and as what a correction sets."""
    forged = "vault:sha256:" + "ab" * 32
    (refused,) = record(log, judge, {**wasted(), "narrative": forged})
    assert (refused.problems[0].code, refused.problems[0].place.field) == ("vault-text", "narrative")
    record(log, judge, wasted())
    real = stands(log).body["reason"]
    for new in (forged, real[:-1] + ("0" if real[-1] != "0" else "1")):
        (refused,) = record(log, judge, correction(wasted(), "c1", ("narrative", SAID, new)))
        assert refused.problems[0].code == "vault-text"
    assert stands(log).body["narrative"] == LogHistory(log).sent("w1").body["narrative"]


def test_another_events_commitment_is_refused(log, judge):
    """A commitment is to a text of one event; another cannot borrow it."""
    record(log, judge, wasted("w1"))
    (refused,) = record(log, judge, {**wasted("w2"), "narrative": stands(log).body["narrative"]})
    assert refused.problems[0].code == "vault-text"


@pytest.mark.parametrize("old", ["words", "commitment"])
def test_a_correction_names_what_stands_by_its_words_or_as_the_log_shows_it(log, judge, old):
    """Both match, and the new words lie in the vault under the same event."""
    record(log, judge, wasted())
    named = SAID if old == "words" else stands(log).body["narrative"]
    results = record(log, judge, correction(wasted(), "c1", ("narrative", named, "slipped from Jane's hand")))
    assert isinstance(results[0], Recorded)
    assert stands(log).body["narrative"] != LogHistory(log).sent("w1").body["narrative"]
    assert "slipped from Jane's hand" in words(log, "w1")
    assert not any(b"Jane" in entry.body for entry in log.entries())


def test_a_correction_with_other_words_as_old_has_no_effect(log, judge):
    """As without a vault."""
    record(log, judge, wasted())
    before = stands(log).body
    record(log, judge, correction(wasted(), "c1", ("narrative", "something else", "new")))
    assert stands(log).body == before


def chain():
    """An event, a correction of its text, one of that correction's outcome, a signature of the event as it was sent and one as it then stood."""
    one = wasted("w1", at="09:00")
    first = correction(one, "c1", ("narrative", SAID, "second words"), at="10:00", patient="P1")
    second = correction(one, "c2", ("narrative", "second words", "third words"), at="11:00", actor="N9")
    sent = make_event(one).body
    stood = {**sent, "narrative": "second words"}
    plain = {"target_event": "w1", "signer": "N1"}
    return [
        one, first, second,
        body("signature", id="s1", at="12:00", target_sha256=signable(sent), **plain),
        body("signature", id="s2", at="10:30", target_sha256=signable(stood).upper(), **plain),
        body("signature", id="s3", at="12:30", target_sha256=signable(stood), **plain),
    ]  # fmt: skip


def noted(bodies):
    return [{**one, "entered_at": one["occurred_at"]} for one in bodies]


@pytest.mark.parametrize("one_in", [61, pytest.param(7, marks=pytest.mark.soak)])
def test_the_order_of_arrival_does_not_matter_to_texts_and_signatures(judge, tmp_path, one_in):
    """Whatever comes first: corrections match by words, a signature of the event as sent or as it stood is good, one of an older version is
    not; with a vault as without."""
    events = noted(chain())
    sent = make_event(events[0]).body
    for one, text in ((events[3], None), (events[4], "second words"), (events[5], "second words")):
        one["target_sha256"] = signable(sent if text is None else {**sent, "narrative": text})
    with fresh_log() as log:
        record(log, judge, *events)
        expected = standing(log)
    assert expected["s1"][0] == expected["s2"][0] == "compliant"
    assert expected["s3"][0] == "violation"
    for number, order in enumerate(itertools.islice(itertools.permutations(events), 0, None, one_in)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with fresh_log(folder, vault=True) as log:
            for one in order:
                record(log, judge, one)
            assert standing(log) == expected, [one["id"] for one in order]
            assert words(log, "w1") == sorted([SAID, "entered late", "second words", "third words"])
            with reach(log) as way:
                assert way.vault.texts.owner("w1") == "P1"


def test_a_case_can_be_bound_again_without_the_vault(log, judge):
    """A decision depends on the log alone: with vault and key gone, signatures are bound as they were."""
    from tests.recording import put_in_force

    put_in_force(log, judge.bundle)
    record(log, judge, *chain())
    lose(log)
    for event_id in ("w1", "s1", "s2", "c2"):
        assert rebound(log, Bundles(log), log.by_event_id(event_id)).agrees


def test_a_correction_of_a_correction_finds_its_words(log, judge):
    """Its old lists the changes in words; they are the first event's."""
    record(log, judge, wasted())
    first = correction(wasted(), "c1", ("narrative", SAID, "wrong words"))
    record(log, judge, first)
    changes = first["fields"]
    better = [{**changes[0], "new": json.dumps("right words")}]
    record(log, judge, correction(first, "c2", ("fields", changes, better), at="21:00"))
    with reach(log) as way:
        way.vault.persons.refresh()
        way.vault.texts.begin()
        assert way.vault.texts.clear("w1", stands(log).body["narrative"]) == "right words"


def test_checking_says_what_recording_would_and_writes_nothing(log, judge):
    """Verdicts and findings are the same, corrections match, and neither log nor vault changes."""
    record(log, judge, wasted())
    size, before = log.size, words(log, "w1")
    later = [
        wasted("w2"),
        correction(wasted(), "c1", ("narrative", SAID, "new")),
        {**wasted("w3"), "narrative": "vault:sha256:" + "0" * 64},
    ]
    items = drafts(later)
    checked = [result for some in Checker(log, judge).submit(items) for result in some]
    assert (log.size, words(log, "w1")) == (size, before)
    recorded = record(log, judge, *items)
    assert [type(one) for one in checked] == [type(one) for one in recorded]
    assert (
        next(one.decision for one in checked if not isinstance(one, Refused)).findings
        == recorded[0].decision.findings
    )


def test_a_missing_vault_stops_what_has_words_and_nothing_else(log, judge):
    """Words are never written in the clear instead; an event without any needs no vault."""
    lose(log)
    with pytest.raises(DatabaseError, match="is not there"):
        record(log, judge, wasted())
    assert log.size == 1
    (result,) = record(log, judge, body("wastage", id="w2"))
    assert result.idx == 1


def test_a_wrong_key_stops_what_has_words(log, judge, tmp_path):
    """The key is tried before anything is sealed under it."""
    key = tmp_path / "site.key"
    key.write_text(key.read_text()[:-3] + ("0\n" if key.read_text()[-3] != "0" else "1\n"))
    with pytest.raises(DatabaseError):
        record(log, judge, wasted())
    assert log.size == 1


def test_a_log_that_gets_a_vault_keeps_its_clear_past(tmp_path, judge):
    """Earlier events stay as they are, are still the same when they come again, and can be corrected by their words."""
    with fresh_log(tmp_path) as log:
        (first,) = record(log, judge, wasted())
        vault = Vault.create(log.url)
        with log.writing() as batch:
            mark(batch, vault)
        vault.close()
        (again,) = record(log, judge, wasted())
        assert (again.repeated, again.idx) == (True, first.idx)
        record(log, judge, correction(wasted(), "c1", ("narrative", SAID, "new words")))
        assert not any(b"new words" in entry.body for entry in log.entries())
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_an_event_that_is_too_large_with_its_commitments_is_refused(log, judge):
    """Many short texts grow; the limit of an event holds for what the log keeps."""
    trials = [{"kind": "drug", "treatment": f"t{number}"} for number in range(500)]
    (refused,) = record(log, judge, body("evaluation", patient="P1", trials=trials))
    assert refused.problems[0].code == "too_large"


def test_a_void_and_what_it_voids_work_as_without_a_vault(log, judge):
    """A void has a reason of its own, which lies in the vault."""
    record(log, judge, wasted())
    record(log, judge, void(wasted(), "v1"))
    assert stands(log) is None
    assert words(log, "v1") == ["never happened"]


def test_what_is_no_event_is_kept_as_before(log, judge):
    """Rejected input waits in quarantine."""
    (item,) = drafts([{"id": "x", "kind": "nothing"}])
    assert isinstance(item, Rejected)
    (refused,) = record(log, judge, item)
    assert log.quarantined(refused.idx) is not None


def test_two_corrections_of_one_text_can_be_compared(tmp_path):
    """A rule sees that one correction's new words are another's old ones: both are commitments of one event."""
    judge = Judge(bundle_of(FORKED))
    with fresh_log(tmp_path, vault=True) as log:
        record(log, judge, wasted(), correction(wasted(), "c1", ("narrative", SAID, "two"), at="20:00"))
        results = record(log, judge, correction(wasted(), "c2", ("narrative", "two", "three"), at="21:00"))
        assert not any(isinstance(one, Rejudged) and one.event.id == "c2" for one in results)
        assert standing(log)["c2"][0] == "compliant"
        record(log, judge, correction(wasted(), "c3", ("narrative", SAID, "four"), at="22:00"))
        assert standing(log)["c3"][0] == "violation"
