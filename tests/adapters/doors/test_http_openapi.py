"""The OpenAPI file and the HTTP door say the same, address by address and status by status."""

import json
import re
from collections.abc import Iterator
from typing import Any

from twisted.internet.task import Clock

from adapters.doors.http import HttpDoor
from adapters.doors.http_api import OPENAPI
from adapters.doors.http_refusals import REFUSALS
from tests.adapters.doors.paper_hall import PaperHall

DESCRIPTION = json.loads(OPENAPI.read_text(encoding="utf-8"))
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_address_is_described_and_every_description_is_an_address() -> None:
    door = HttpDoor(PaperHall(), clock=Clock())
    built = {(r.method.decode(), r.template): (r.operation, r.needs_token) for r in door.routes}
    described = {place: (o["operationId"], o.get("security") != []) for place, o in OPERATIONS.items()}
    assert described == built


def test_every_refusal_is_described_somewhere_and_none_that_is_not() -> None:
    described = {int(status) for operation in OPERATIONS.values() for status in operation["responses"]}
    assert described == {refusal.status for refusal in REFUSALS} | {200, 202}


def test_every_reference_leads_to_something() -> None:
    for reference in references(DESCRIPTION):
        place = DESCRIPTION
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_every_place_holder_is_a_required_parameter() -> None:
    for (_, path), operation in OPERATIONS.items():
        named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path" and p["required"]}
        assert named == set(re.findall(r"\{(\w+)\}", path))


def test_every_refusal_speaks_both_languages_and_its_code_is_its_status() -> None:
    pattern = DESCRIPTION["components"]["schemas"]["Refusal"]["properties"]["code"]["pattern"]
    for refusal in REFUSALS:
        told = json.loads(refusal.body())
        assert re.fullmatch(pattern, told["code"])
        assert told["code"] == f"H{refusal.status}"
        assert re.search("[一-鿿]", told["zh"])
        assert told["en"].isascii()
