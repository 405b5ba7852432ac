"""The arrangement: from the files of a home to folders that are there, in a thread, before anything changes."""

from dataclasses import dataclass

from gateway.config import House
from gateway.dispatch import answers_of, folder_of
from gateway.enquiries import mailbox_root
from spool.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A house whose folders are there, and where to look for files, by sender."""

    house: House
    folders: dict[str, str]


def arranged(house: House) -> Arrangement:
    """Return the house with its mailboxes and the folders of its authorities, which are there; OSError if not."""
    folders: dict[str, str] = {}
    for name in house.partners:
        mailbox = Mailbox(mailbox_root(house.home, name))
        mailbox.make()
        folders[name] = str(mailbox.incoming)
    for name, authority in house.authorities.items():
        if authority.carrier.kind == "folder":
            folder_of(house.home, authority).mkdir(mode=0o750, parents=True, exist_ok=True)
        answers = answers_of(house.home, authority)
        if answers is not None:
            if authority.carrier.kind != "client":
                # A client's boxes are its own; where its share is not mounted, nothing is made in its place.
                answers.mkdir(mode=0o750, parents=True, exist_ok=True)
            folders[name] = str(answers)
    return Arrangement(house, folders)
