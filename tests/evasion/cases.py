# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of cases. Each is a function that plays one connection on a Wire (lab.py), with a name, where it was published
and one line on what it is. `host`: the real host is the server or the client."""

PN = 'Ptacek, Newsham 1998'
HPK = 'Handley, Paxson, Kreibich 2001'
SP = 'Shankar, Paxson 2003'
GENEVA = 'Geneva (Bock et al. 2019)'
GENEVA_SERVER = 'Geneva, server side (Bock et al. 2020)'
LIBRARY = 'Geneva, library.py'
INTANG = 'INTANG (Wang et al. 2017)'
KHATTAK = 'Khattak et al. 2013'

ALL = []


class Case:
    def __init__(self, name, source, what, play, server, only):
        self.name, self.source, self.what, self.play, self.server, self.only = name, source, what, play, server, only


def case(name, source, what, server=True, only=None):
    """only: 4 or 6 where the case is one of this IP version."""
    def add(play):
        assert name not in [c.name for c in ALL], name
        ALL.append(Case(name, source, what, play, server, only))
        return play
    return add


def load():
    import cases_handshake  # noqa: F401
    import cases_ip  # noqa: F401
    import cases_overlap  # noqa: F401
    import cases_segment  # noqa: F401
    import cases_server  # noqa: F401
    import cases_teardown  # noqa: F401
    return ALL


EVIL, GOOD = b'NOOP evil\r\n', b'NOOP good\r\n'
AFTER = b'NOOP after\r\n'
