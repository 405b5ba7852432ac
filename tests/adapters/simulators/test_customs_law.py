"""Every kind of declaration hears of its document to the end, in receipts that the published schemas accept."""

import json
from pathlib import Path

import pytest
from lxml import etree

from adapters.simulators.judging import unit
from adapters.simulators.law import ACCEPTED, RETURNED, law
from adapters.simulators.receipts import Booked, Due, make
from adapters.simulators.settings import Settings
from message_specs.catalog import catalog
from message_specs.codes import receipt_status
from message_specs.opening import open_message
from message_specs.schema import compiled
from message_specs.spec import Spec
from message_specs.tables import revisions_of
from tests.message_specs.test_samples import SAMPLES

DECLARED = [spec for spec in catalog().specs.values() if spec.receipt and spec.family == "ceb"]


@pytest.mark.parametrize("spec", DECLARED, ids=lambda spec: spec.code)
def test_the_last_thing_said_ends_it_and_the_others_do_not(spec: Spec) -> None:
    outcomes = [receipt_status(spec.receipt or "", status).outcome for status in law(spec.code).stages]
    assert outcomes == ["interim"] * (len(outcomes) - 1) + ["final"]
    assert receipt_status(spec.receipt or "", law(spec.code).again).outcome == "refused"


@pytest.mark.parametrize(
    ("spec", "revision"),
    [(spec, revision) for spec in DECLARED for revision in revisions_of(spec.root)],
    ids=lambda one: getattr(one, "code", one),
)
def test_every_stage_of_every_kind_is_a_receipt_that_the_schema_accepts(spec: Spec, revision: str) -> None:
    settings = Settings(Path("box.toml"), Path("box.sqlite3"), revision=revision, wrap_answers=False)
    document = open_message((SAMPLES / "good" / f"{spec.code}.xml").read_bytes()).documents[0]
    values = json.dumps(dict(unit(document.element, spec, revision).values))
    booked = Booked(7, "G" * 36, spec.code, "taken", "", "", "", "", 1_795_000_000_000, "", b"", [(1, "", values)])
    for stage, status in enumerate((ACCEPTED, RETURNED, *law(spec.code).stages)):
        answer = make(Due(1, 7, stage, status, "a" * 36, 1_795_000_000_000, 0, 0), booked, settings)
        root = etree.fromstring(answer.body)
        schema = compiled(f"{spec.receipt}Message", revision)
        assert schema.validate(root), schema.error_log
        [answered] = open_message(answer.body, revision=revision).documents
        assert (answered.reply_key, answered.head["returnStatus"]) == (document.reply_key, status)
