"""Errors that a user can mend, each with rule, value received and remedy.

GlasslineError
├── DataError       an image, table, annotation or shard that breaks a rule
├── SettingsError   an unknown setting or a value out of range
├── TrackingError   the MLflow server or its registry does not answer as it should
├── ModelError      a model that collapsed, does not fit the data, or fails its parity gate
├── StorageError    a full disk, a missing folder or object, an object store that refuses
├── DeviceError     a camera, illuminator or stage that does not do as told
└── EngineError     a container engine or a step's process that does not do as told, or an image that is missing or of
                    other code

The command line prints these as one line and exits with their code, 1 unless a command documents others; everything
else is our own bug and keeps its traceback.
"""


class GlasslineError(Exception):
    """Base of every error that names rule, value and remedy."""

    #: What the command line exits with; a command whose callers act on it sets others.
    exit_code = 1


class DataError(GlasslineError, ValueError):
    """An image, table, annotation or shard breaks a rule."""


class SettingsError(GlasslineError, ValueError):
    """A setting is unknown or out of range."""


class TrackingError(GlasslineError, RuntimeError):
    """The tracking server or its registry does not answer as it should."""


class ModelError(GlasslineError, RuntimeError):
    """A model collapsed, does not fit the data, or fails its parity gate."""


class StorageError(GlasslineError, OSError):
    """A disk is full, a folder or object is missing or may not be written, or an object store refuses."""


class DeviceError(GlasslineError, RuntimeError):
    """A camera, illuminator or stage does not answer, or does not do as told."""


class EngineError(GlasslineError, RuntimeError):
    """A container engine or a process does not do as told, or an image is missing or was built from other code."""


#: The classes above by name: a step that failed tells its own, and whoever waits for it raises the same.
KINDS: dict[str, type[GlasslineError]] = {
    one.__name__: one
    for one in (DataError, SettingsError, TrackingError, ModelError, StorageError, DeviceError, EngineError)
}


def kind_of(error: BaseException) -> str:
    """Return the name of an error's class, of a narrower one the class of this module that it belongs to."""
    return next((one.__name__ for one in type(error).__mro__ if one.__name__ in KINDS), type(error).__name__)
