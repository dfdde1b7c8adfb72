"""The stack: fitted on rows that its branches never saw, and nothing else changes."""

import numpy as np
import pytest
import torch

from glassline.models.cnn import CnnSettings
from glassline.models.ensemble import StackingEnsemble
from glassline.training.data import PatchDataset
from glassline.training.stacking import fit_stack, stacking_rows


def _ensemble(classes: int) -> StackingEnsemble:
    torch.manual_seed(0)
    model = StackingEnsemble(112, 2, classes, CnnSettings(filters=1))
    model.metadata.standardise.fit(torch.tensor([[0.0, 0.0], [2.0, -2.0]]))
    model.metadata_head.weight.data *= 30  # strong opinions, as after training; which class they name is chance
    return model


def _held(make_table, labels: list[str], classes: tuple[str, ...]) -> PatchDataset:
    index = np.array([classes.index(label) for label in labels], float)
    metadata = np.stack([index, -index, index], axis=1) + np.random.default_rng(0).normal(0, 0.1, (len(labels), 3))
    return PatchDataset(make_table(labels, metadata, classes=classes), np.arange(len(labels)), ["x_mm", "y_mm"])


def _logits(model: StackingEnsemble, held: PatchDataset) -> torch.Tensor:
    batch = held.__getitems__(list(range(len(held))))
    return model(batch["patch_BHW"].float(), batch["metadata_BM"])


@pytest.mark.parametrize("classes", [("dent", "mold"), ("dent", "mold", "fold")])
def test_fit_stack_changes_only_the_stack(make_table, classes):
    held, model = _held(make_table, list(classes) * 6, classes), _ensemble(len(classes))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit_stack(model, held)
    changed = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["stack.weight", "stack.bias"]


@pytest.mark.parametrize("classes", [("dent", "mold"), ("dent", "mold", "fold")])
def test_fit_stack_lowers_the_loss_on_the_held_out_rows(make_table, classes):
    held, model = _held(make_table, list(classes) * 8, classes), _ensemble(len(classes))
    label_B = torch.tensor(held.labels_N)
    before = torch.nn.functional.cross_entropy(_logits(model.eval(), held), label_B)
    fit_stack(model, held)
    assert torch.nn.functional.cross_entropy(_logits(model, held), label_B) < 0.8 * before


def test_fit_stack_gives_the_regression_s_probabilities_for_two_classes(make_table):
    from sklearn.linear_model import LogisticRegression

    held, model = _held(make_table, ["dent", "mold"] * 6, ("dent", "mold")), _ensemble(2)
    fit_stack(model, held)
    batch = held.__getitems__(list(range(12)))
    inputs = model.stacked_inputs(batch["patch_BHW"].float(), batch["metadata_BM"]).detach().numpy()
    expected = LogisticRegression(C=1.0, max_iter=1000).fit(inputs, held.labels_N).predict_proba(inputs)
    np.testing.assert_allclose(_logits(model, held).softmax(1).detach().numpy(), expected, atol=1e-5)


def test_fit_stack_keeps_its_initial_weights_when_a_class_is_missing(make_table):
    held, model = _held(make_table, ["dent", "mold"] * 3, ("dent", "mold", "fold")), _ensemble(3)
    fit_stack(model, held)
    assert torch.equal(model.stack.weight, torch.cat([torch.eye(3), torch.eye(3)], dim=1))


def test_fit_stack_keeps_its_initial_weights_without_rows(make_table):
    table, model = make_table(["dent", "mold"]), _ensemble(2)
    fit_stack(model, PatchDataset(table, np.arange(0), ["x_mm", "y_mm"]))
    assert torch.equal(model.stack.weight, torch.cat([torch.eye(2), torch.eye(2)], dim=1))


def test_stacking_rows_never_split_a_group_and_leave_copies_out(make_table):
    labels, groups = ["dent", "mold"] * 15, [f"g{n // 3}" for n in range(30)]
    table = make_table(labels, groups=groups, augmentation=["", "", "flip_h"] * 10)
    train_N = np.arange(2, 29)
    branches_N, held_N = stacking_rows(table, train_N, seed=0)
    assert len(held_N)
    assert set(branches_N) <= set(train_N)
    assert not set(table.rows["group"].iloc[branches_N]) & set(table.rows["group"].iloc[held_N])
    assert set(table.rows["augmentation"].iloc[held_N]) == {""}
    copies_N = [row for row in train_N if table.rows["augmentation"][row] and row not in branches_N]
    assert all(table.rows["group"][row] in set(table.rows["group"].iloc[held_N]) for row in copies_N)


@pytest.mark.parametrize("seed", range(3))
def test_stacking_rows_leave_a_class_of_one_group_to_the_branches(make_table, seed):
    labels = ["dent", "dent", "mold", "mold", "fold", "fold"]
    table = make_table(labels, classes=("dent", "mold", "fold"), groups=["a", "a", "b", "b", "c", "c"])
    branches_N, held_N = stacking_rows(table, np.arange(6), seed)  # whichever group is held takes its class along
    assert (branches_N.tolist(), len(held_N)) == (list(range(6)), 0)


def test_stacking_rows_give_all_to_the_branches_when_there_is_one_group(make_table):
    table = make_table(["dent", "mold"] * 3, groups=["g"] * 6)
    branches_N, held_N = stacking_rows(table, np.arange(6), seed=0)
    assert (branches_N.tolist(), len(held_N)) == (list(range(6)), 0)
