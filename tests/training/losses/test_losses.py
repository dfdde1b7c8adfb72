"""The losses against their sums with plain floats, in both readings of eq. 2, and where they must be 0."""

import math

import pytest
import torch

from glassline.training.losses import LOSSES, build_loss
from glassline.training.losses.autoencoder import AutoEncoderLoss
from glassline.training.settings import LossSettings

SIGMAS = 1000.0  # what the network's input calls 1


@pytest.fixture
def batch():
    """Return outputs at three scales, a mask (B, 8, 8) and sigmas (B, S, 8, 8): 2 px of the zone an output."""
    generator = torch.Generator().manual_seed(3)
    scales = [torch.randn(2, edge, edge, generator=generator) for edge in (4, 2, 1)]
    scratch_BHW = (torch.rand(2, 8, 8, generator=generator) < 0.1).to(torch.uint8)
    sigmas_BSHW = 800 * torch.randn(2, 3, 8, 8, generator=generator)
    return scales, scratch_BHW, sigmas_BSHW


def blocks(batch, scale):
    """Yield for each output of a scale: its value, the mask's and the levels' pixels under it (all states)."""
    scales, scratch_BHW, sigmas_BSHW = batch
    edge = scales[scale].shape[-1]
    step = 8 // edge
    for b in range(2):
        for i in range(edge):
            for j in range(edge):
                rows, columns = range(i * step, (i + 1) * step), range(j * step, (j + 1) * step)
                mask = [int(scratch_BHW[b, y, x]) for y in rows for x in columns]
                levels = [float(sigmas_BSHW[b, s, y, x]) for s in range(3) for y in rows for x in columns]
                yield float(scales[scale][b, i, j]), mask, levels


def compressed(sigma):
    level = math.copysign(math.log(1 + abs(sigma)), sigma) / math.log(1 + SIGMAS)
    return min(max(level, 0.0), 1.0)


def restored(target, mask, levels):
    brightest = max(compressed(level) for level in levels)
    if target == "text":
        return 1.0 if max(mask) else -brightest
    return brightest if max(mask) else 1.0


@pytest.mark.parametrize("target", ["text", "printed"])
@pytest.mark.parametrize("alpha", [0.7, 0.2])
def test_autoencoder_is_eq_2_to_4(batch, target, alpha):
    total = 0.0
    for scale in range(3):
        terms = []
        for output, mask, levels in blocks(batch, scale):
            y, wanted = math.tanh(output), restored(target, mask, levels)
            over, under = max(0.0, y - wanted) ** 2, max(0.0, wanted - y) ** 2
            terms.append(alpha * over + (1 - alpha) * under)
        total += sum(terms) / len(terms)
    assert AutoEncoderLoss(alpha, target)(*batch).item() == pytest.approx(total, rel=1e-5)


def test_cross_entropy_is_its_sum(batch):
    total = 0.0
    for scale in range(3):
        terms = []
        for output, mask, _ in blocks(batch, scale):
            share = 1 / (1 + math.exp(-output))
            terms.append(-math.log(share if max(mask) else 1 - share))
        total += sum(terms) / len(terms)
    assert build_loss(LossSettings(name="cross_entropy"))(*batch).item() == pytest.approx(total, rel=1e-5)


def test_squared_is_its_sum(batch):
    total = 0.0
    for scale in range(3):
        terms = [(math.tanh(output) - max(mask)) ** 2 for output, mask, _ in blocks(batch, scale)]
        total += sum(terms) / len(terms)
    assert build_loss(LossSettings(name="squared"))(*batch).item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("target", ["text", "printed"])
def test_autoencoder_is_0_when_the_output_equals_the_target(batch, target):
    scales, scratch_BHW, sigmas_BSHW = batch
    loss = AutoEncoderLoss(0.7, target)
    brightest_BHW = torch.tensor([[[max(compressed(float(v)) for v in sigmas_BSHW[b, :, y, x]) for x in range(8)]
                                   for y in range(8)] for b in range(2)])  # fmt: skip
    restored_B = [loss.restored(scratch_BHW, brightest_BHW, output_BHW.shape[-2:]) for output_BHW in scales]
    exact = [torch.atanh(target_Bhw.double().clamp(-1 + 1e-12, 1 - 1e-12)) for target_Bhw in restored_B]
    assert loss(exact, scratch_BHW, sigmas_BSHW).item() == pytest.approx(0, abs=1e-10)


def test_autoencoder_of_black_background_wants_0_and_nothing_else():
    nothing_BHW, dark_BSHW = torch.zeros(1, 8, 8), torch.full((1, 6, 8, 8), -2.0)
    silent = [torch.zeros(1, edge, edge) for edge in (4, 2, 1)]
    loud = [torch.full((1, edge, edge), 0.5) for edge in (4, 2, 1)]
    assert AutoEncoderLoss()(silent, nothing_BHW, dark_BSHW).item() == 0
    assert AutoEncoderLoss()(loud, nothing_BHW, dark_BSHW).item() == pytest.approx(3 * 0.7 * math.tanh(0.5) ** 2)


@pytest.mark.parametrize("alpha", [0.7, 0.5])
def test_autoencoder_weighs_too_high_by_alpha_and_too_low_by_the_rest(alpha):
    loss, target_Bhw = AutoEncoderLoss(alpha), torch.full((1, 4, 4), 0.2)
    assert loss.of_scale(target_Bhw + 0.5, target_Bhw).item() == pytest.approx(alpha * 0.25)
    assert loss.of_scale(target_Bhw - 0.5, target_Bhw).item() == pytest.approx((1 - alpha) * 0.25)


def test_autoencoder_restores_dust_with_the_inverse_sign_and_a_scratch_with_its_own():
    scratch_BHW = torch.zeros(1, 2, 4)
    scratch_BHW[0, 0, 3] = 1
    brightest_BHW = torch.zeros(1, 2, 4)
    brightest_BHW[0, 1, 1] = 0.8
    target_Bhw = AutoEncoderLoss().restored(scratch_BHW, brightest_BHW, (1, 2))
    torch.testing.assert_close(target_Bhw, torch.tensor([[[-0.8, 1.0]]]))


@pytest.mark.parametrize("name", LOSSES)
def test_loss_has_a_gradient_where_everything_is_background(name):
    scales = [torch.full((1, edge, edge), 0.3, requires_grad=True) for edge in (4, 2, 1)]
    build_loss(LossSettings(name=name))(scales, torch.zeros(1, 8, 8), torch.zeros(1, 2, 8, 8)).backward()
    assert all(output.grad.min() > 0 for output in scales)


@pytest.mark.parametrize(
    "settings",
    [*(LossSettings(name=name) for name in LOSSES), LossSettings(target="printed")],
    ids=lambda settings: f"{settings.name}-{settings.target}",
)
def test_score_lies_within_0_and_1(settings):
    score_BHW = build_loss(settings).score(torch.linspace(-30, 30, 101).reshape(1, 1, 101))
    assert 0 <= score_BHW.min() < 0.01
    assert 0.99 < score_BHW.max() <= 1


def test_score_under_the_text_rises_and_under_the_print_falls():
    output_BHW = torch.linspace(-2, 2, 9).reshape(1, 1, 9)
    assert (AutoEncoderLoss().score(output_BHW).diff() >= 0).all()
    assert (AutoEncoderLoss(target="printed").score(output_BHW).diff() <= 0).all()


def test_settings_name_the_losses():
    assert set(LOSSES) == set(LossSettings.model_fields["name"].annotation.__args__)
