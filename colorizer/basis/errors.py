"""The error tree of the whole project.

ColorizeError                what a person can act on; the command line prints it as one line
├── Mistyped                 what was typed names nothing that is here (exit code 2)
├── CallError                what a function of the Python API was given
│   ├── WrongType            of a kind that it does not take (a TypeError too)
│   └── WrongValue           of the right kind, with what it does not take in it (a ValueError too)
├── WeightsError             a weights file that cannot be used
├── SourceError              something about the reel or scan that went in
│   ├── UnsupportedSource    readable in principle, but not by this program (says what to do instead)
│   ├── DamagedSource        so damaged that coloring it would only hide the damage
│   └── UnreadableSource     its disk or network failed while it was read, which may pass
├── EncodeError              the output could not be encoded
├── JoinError                the segments do not make the reel the plan describes
├── LedgerError              the job folder contradicts itself or another job
│   └── InUse                another run is in it
├── StorageError             what the job writes cannot be written: disk full, no permission
├── TrainingError            training data or a checkpoint that cannot be used
└── WorkerDied               a worker process ended while it held a unit
    └── NodeLost             and its machine with it, or the way to it: not the unit's fault

Every message says what, where (file, frame) and what to do next. Anything else that is raised is a bug and keeps
its traceback.
"""


class ColorizeError(Exception):
    """Base of all errors a person can act on."""


class Mistyped(ColorizeError):
    """What was typed names nothing that is here: the command line's own errors are of this kind."""


class CallError(ColorizeError):
    """What a function of the Python API was given."""


class WrongType(CallError, TypeError):
    """An argument of a kind that the function does not take."""


class WrongValue(CallError, ValueError):
    """An argument of the right kind with what the function does not take in it."""


class WeightsError(ColorizeError):
    """A weights file that cannot be used."""


class SourceError(ColorizeError):
    """Something about the source: `uri` names it, `what` says what is wrong and what to do."""

    def __init__(self, uri: str, what: str) -> None:
        super().__init__(f"{uri}: {what}")
        self.uri = uri
        self.what = what

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.uri, self.what)  # two-argument exceptions do not survive pickling by default


class UnsupportedSource(SourceError):
    """A source this program does not read; the message says what to do instead."""


class DamagedSource(SourceError):
    """A source so damaged that coloring it would only hide the damage."""


class UnreadableSource(SourceError):
    """A source whose disk or network failed while it was read. That may pass: another run tries again."""


class EncodeError(ColorizeError):
    """The output could not be encoded."""


class JoinError(ColorizeError):
    """The segments do not make the reel the plan describes."""


class LedgerError(ColorizeError):
    """The job folder contradicts itself or another job."""


class InUse(LedgerError):
    """Another run is in the folder."""


class StorageError(ColorizeError):
    """What the job writes cannot be written: disk full, no permission."""


class TrainingError(ColorizeError):
    """Training data or a checkpoint that cannot be used."""


class WorkerDied(ColorizeError):
    """A worker process ended while it held a unit."""


class NodeLost(WorkerDied):
    """A worker's machine went away or could not be reached while it held a unit: not the unit's fault."""
