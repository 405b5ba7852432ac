"""Demo homes that visit a real sshd: a partner whose files lie there, and customs behind one."""

import re
from pathlib import Path

from tests.crash.daemon import quiet_home
from tests.homes import demo_home
from tests.sshd import Sshd


def place(server: Sshd, folder: Path, *, port: int = 0, every: float = 1.0, more: str = "") -> str:
    """The lines of a table that tell of a folder of this server."""
    return (
        f'host = "127.0.0.1"\nport = {port or server.port}\nuser = "{server.user}"\nhost_keys = ["{server.host_key}"]\n'
        f'key_file = "keys/remote"\nfolder = "{folder}"\nevery_seconds = {every}\ntimeout_seconds = 5.0\n{more}'
    )


def visiting_home(tmp_path: Path, server: Sshd, partner: str, lines: str) -> Path:
    """A quiet home that fetches what a partner has for us."""
    home = quiet_home(demo_home(tmp_path))
    our_key(home, server)
    file = home / f"partners/{partner}.toml"
    file.write_text(f"{file.read_text('utf-8')}\n[fetch.sftp]\n{lines}", "utf-8")
    return home


def served_customs(home: Path, carrier: str, answers_lines: str, out: Path, answers: Path) -> None:
    """Customs of this home is reached and answers by SFTP; the customs in a box works in the folders of that server."""
    file = home / "authorities/customs.toml"
    text = file.read_text("utf-8")
    text = re.sub(r'(?m)^kind = "folder"\nfolder = .*', 'kind = "sftp"', text)
    text = re.sub(r'(?m)^folder = "spool/authorities/customs/in"', "", text)
    text = f"{text}\n[carrier.sftp]\n{carrier}\n[answers.fetch.sftp]\n{answers_lines}"
    file.write_text(text, "utf-8")
    file = home / "simulators/customs.toml"
    text = file.read_text("utf-8").replace('"../spool/authorities/customs/out"', f'"{out}"')
    file.write_text(text.replace('"../spool/authorities/customs/in"', f'"{answers}"'), "utf-8")


def our_key(home: Path, server: Sshd) -> None:
    """The key that the server knows is ours."""
    (home / "keys/remote").write_bytes(server.user_key.read_bytes())
    (home / "keys/remote").chmod(0o600)
