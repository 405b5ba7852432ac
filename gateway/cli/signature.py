"""`kouan sign`, `verify`, `explain-signature`: seals by hand, and what became of them."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.options import home_option, input_argument, json_option, read_input
from gateway.cli.talk import FAILED, give, say

cert_option = click.option(
    "--cert",
    "certificates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A certificate (PEM) to trust; else those of the home's partners and keys.",
)


@click.command()
@input_argument("file")
@click.option("--key", required=True, help="The name of a key in keys/ of the home.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here, not to stdout.")
@home_option
def sign(file: str, key: str, output: Path | None, home: Path) -> None:
    """Sign FILE (- is stdin) with a key of the home; a message that is signed already is refused."""
    from gateway.signing.keys import load_signer
    from gateway.signing.seal import sign_message
    from spool.aside import put

    signer = load_signer(home / "keys", key)
    signed = sign_message(read_input(file), signer)
    if output is None:
        sys.stdout.buffer.write(signed)
    else:
        put(output.absolute(), signed)
        say(f"Signed by {key} ({signer.suite}): {output}")


@click.command()
@input_argument("file")
@cert_option
@json_option
@home_option
def verify(file: str, certificates: tuple[Path, ...], as_json: bool, home: Path) -> int:
    """Verify the signature of FILE (- is stdin) against certificates that are trusted, never its own alone."""
    from gateway.signing.verify import verify as verdict_on

    verdict = verdict_on(read_input(file), trusted(certificates, home), datetime.now(UTC))
    if as_json:
        give(
            {
                "file": file,
                "valid": verdict.valid,
                "code": verdict.code,
                "suite": verdict.suite,
                "key_name": verdict.key_name,
                "subject": verdict.certificate_subject,
                "not_after": verdict.not_after.isoformat() if verdict.not_after else None,
                "zh": verdict.reason_zh,
                "en": verdict.reason_en,
            }
        )
    elif verdict.valid:
        say(f"{file}: the signature is good: {verdict.suite}, {verdict.certificate_subject}")
    else:
        say(f"{file}: {verdict.code}: {verdict.reason_zh} {verdict.reason_en}")
        say(f"See:  kouan explain-signature {file}")
    return 0 if verdict.valid else FAILED


@click.command("explain-signature")
@input_argument("file")
@cert_option
@click.option("--full", is_flag=True, help="The canonical bytes whole, not their beginning and end.")
@json_option
@home_option
def explain_signature(*, file: str, certificates: tuple[Path, ...], full: bool, as_json: bool, home: Path) -> int:
    """Show what FILE's signature covers: canonical bytes, digests, certificate, the first thing that differs."""
    from gateway.signing.explain import explain

    explanation = explain(read_input(file), trusted(certificates, home))
    if as_json:
        give({"file": file} | explanation.as_dict(full=full))
    else:
        click.echo(explanation.as_text(full=full))
    return FAILED if explanation.difference else 0


def trusted(given: tuple[Path, ...], home: Path) -> list[bytes]:
    """Return the certificates (DER) to trust: those given, else all that the home trusts or signs with."""
    from gateway.config import load_house
    from gateway.signing.certificates import from_pem

    if given:
        return [from_pem(path.read_bytes()) for path in given]
    if not (home / "kouan.toml").is_file():
        say(f"No --cert is given and {os.fspath(home)} is no home: no certificate is trusted.")
        return []
    house = load_house(home)
    paths = {home / file for partner in house.partners.values() for file in partner.certificates}
    paths |= {home / "keys" / use.name / "cert.pem" for partner in house.partners.values() for use in partner.keys}
    return [from_pem(path.read_bytes()) for path in sorted(paths) if path.is_file()]
