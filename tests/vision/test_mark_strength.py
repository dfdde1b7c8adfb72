"""Strength in sigmas of replicas."""

import numpy as np

from glassline.vision.mark_strength import BLOCK_PX, strength_maps


def _sums(replicas=6, size=(150, 170), seed=0):
    return np.random.default_rng(seed).normal(0, 1, (1 + replicas, 2, *size)).astype(np.float32)


def test_strength_does_not_depend_on_the_noise_level():
    sums_R2HW = _sums()
    (first_HW, blocks_Rhw), (other_HW, others_Rhw) = strength_maps(sums_R2HW), strength_maps(sums_R2HW * 7)
    np.testing.assert_allclose(first_HW, other_HW, rtol=1e-3)
    np.testing.assert_allclose(blocks_Rhw, others_Rhw, rtol=1e-3)
    assert blocks_Rhw.shape == (6, -(-150 // BLOCK_PX), -(-170 // BLOCK_PX))


def test_replicas_are_as_strong_as_what_is_looked_at_when_that_is_noise():
    looked, replicas = [], []
    for seed in range(8):
        strength_HW, blocks_Rhw = strength_maps(_sums(size=(128, 128), seed=seed))
        looked.append(strength_HW.reshape(8, BLOCK_PX, 8, BLOCK_PX).max(axis=(1, 3)))
        replicas.append(blocks_Rhw)
    assert abs(np.mean(looked) / np.mean(replicas) - 1) < 0.03


def test_a_mark_on_one_replica_does_not_weaken_itself():
    sums_R2HW = _sums()
    sums_R2HW[2, 1, 75, 40:100] += 8
    alone = strength_maps(sums_R2HW)[1][1].max()
    sums_R2HW[2, 1, 75, 40:100] += 8
    assert strength_maps(sums_R2HW)[1][1].max() > 1.8 * alone


def test_blank_maps_have_no_strength():
    strength_HW, blocks_Rhw = strength_maps(np.zeros((4, 2, 40, 50), np.float32))
    assert not strength_HW.any()
    assert not blocks_Rhw.any()
