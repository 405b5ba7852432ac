"""The four kinds of trouble, each with one reader.

A document's trouble is a finding and is not raised.  What is raised is for the
operator (`ForOperator`), for time to heal (`Postpone`) or for us (`OurMistake`).
"""


class Told(Exception):  # noqa: N818  the subclasses are named for what happened
    """Something happened that a person is told in one sentence"""

    def __str__(self) -> str:
        """Return the class's own sentence, then what it is about.

        >>> str(UnknownPartner("acme"))
        'No file in partners/ names this partner: acme'
        """
        sentence = (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")
        about = super().__str__()
        return f"{sentence}: {about}" if about else sentence


class ForOperator(Told):
    """Our configuration, a key or a disk needs an operator"""


class Postpone(Told):
    """The other side is away; the work waits for its date"""


class OurMistake(Told):
    """Kouan itself is wrong; the document is held with the traceback"""


class UnknownPartner(ForOperator):
    """No file in partners/ names this partner"""


class UnknownAuthority(ForOperator):
    """No file in authorities/ names this authority"""


class DiskNearlyFull(ForOperator):
    """Intake has stopped at the door because the disk is nearly full"""
