import pytest

from glassline.errors import DeviceError
from hardware_ingest.illuminator.settings import IlluminatorSettings
from hardware_ingest.session.claim import sole_session

RING = IlluminatorSettings(kind="modbus", host="ring.test", port=1502)


def test_a_second_session_of_one_rig_is_refused_until_the_first_has_ended():
    with (
        sole_session(RING),
        pytest.raises(DeviceError, match=r"one session at a time.*ring\.test:1502"),
        sole_session(RING),
    ):
        pass
    with sole_session(RING):
        pass


def test_two_rigs_have_a_session_each():
    with sole_session(RING), sole_session(RING.model_copy(update={"port": 1503})):
        pass


def test_simulated_lights_are_free_for_all():
    ring = IlluminatorSettings()
    with sole_session(ring), sole_session(ring):
        pass
