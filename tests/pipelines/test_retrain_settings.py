"""What the settings of `retrain` allow, and what its presets choose."""

import pytest
from pydantic import ValidationError

from pipelines.retrain_settings import PRESETS, RetrainSettings


def test_presets_look_for_scratches_in_captures_alone():
    assert {name for name, preset in PRESETS.items() if preset().segment} == {
        "captures-smoke", "captures-demo", "captures-full",
    }  # fmt: skip


def test_preset_full_trains_as_published():
    chosen = PRESETS["captures-full"]().segmentation
    assert (chosen.unet.network, chosen.unet.width, chosen.patch_px) == ("unet_nested", 1, 1024)
    assert (chosen.batch_size, chosen.epochs, chosen.patches) == (16, 50, 4000)
    assert (chosen.learning_rate, chosen.schedule) == (1e-4, "constant")


def test_settings_refuse_to_segment_images_that_no_rig_captured():
    with pytest.raises(ValidationError, match=r"segment must be false .* set data_format=captures"):
        RetrainSettings(data_format="coco", segment=True)


@pytest.mark.parametrize("rate", [0, 1])
def test_settings_refuse_a_false_negative_rate_out_of_range(rate):
    with pytest.raises(ValidationError, match="max_fn_rate"):
        RetrainSettings(max_fn_rate=rate)


def test_settings_name_the_parts_of_the_zones():
    arguments = RetrainSettings(zone_parts=3).arguments("data", "hash", "store")
    assert (arguments["zone_parts"], arguments["zone_part_count"]) == ([0, 1, 2], 3)
