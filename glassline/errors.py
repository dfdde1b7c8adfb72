"""Errors that a user can mend, each with rule, value received and remedy.

GlasslineError
├── DataError       an image, table, annotation or shard that breaks a rule
├── SettingsError   an unknown setting or a value out of range
├── TrackingError   the MLflow server or its registry does not answer as it should
├── ModelError      a model that collapsed, does not fit the data, or fails its parity gate
├── StorageError    a full disk, a missing folder or object, an object store that refuses
└── DeviceError     a camera, illuminator or stage that does not do as told

The command line prints these as one line and exits with 1; everything else is our own bug and keeps
its traceback.
"""


class GlasslineError(Exception):
    """Base of every error that names rule, value and remedy."""


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
