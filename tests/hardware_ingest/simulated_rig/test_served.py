import pytest

from glassline.errors import SettingsError
from hardware_ingest.simulated_rig.glasses import Glasses, simulated_rig
from hardware_ingest.simulated_rig.served import ServedRig
from hardware_ingest.zones import ZoneGrid


@pytest.fixture
def rig():
    settings = simulated_rig(ZoneGrid(columns=1, rows=1, width_px=64, height_px=64, overlap_px=0), "standard")
    return ServedRig(settings, Glasses(settings, "standard", 0).scene, "127.0.0.1")


@pytest.mark.parametrize(
    "words", ["dead 12", "dead -1", "dead x", "stuck 99", "noise 7", "slow -1", "slow nan", "loss 2", "glass", "zzz"]
)
def test_the_simulator_refuses_what_it_cannot_do(rig, words):
    with pytest.raises(SettingsError, match=f"the simulator understands.*got '{words}'"):
        rig.tell(words)


def test_the_simulator_breaks_what_it_is_told_to(rig):
    assert rig.tell("stuck 11") == "done: stuck 11"
    assert rig.tell("state") == "done: groups lit [11], stage Alarm"
