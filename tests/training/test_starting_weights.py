"""Weights to start from: a file, random ones, and the hub where nobody answers."""

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from glassline.data.storage import sha256_file
from glassline.errors import ModelError
from glassline.models.backbone import Backbone
from glassline.models.settings import BackboneSettings
from glassline.training.starting_weights import load_starting_weights

TINY = "timm/test_resnet.r160_in1k"


def _load(weights: str, network: str = "resnet18") -> tuple[Backbone, str]:
    torch.manual_seed(0)
    backbone = Backbone(network)
    return backbone, load_starting_weights(backbone, BackboneSettings(network=network, weights=weights))


def test_random_weights_stay_as_they_are_built():
    torch.manual_seed(0)
    built = Backbone("resnet18")
    backbone, told = _load("random")
    assert told == "random"
    assert torch.equal(backbone.network.conv1.weight, built.network.conv1.weight)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_of_the_library_s_weights_is_taken_without_its_head(tmp_path, suffix):
    torch.manual_seed(1)
    published, path = models.resnet18(), tmp_path / f"resnet18{suffix}"
    state = published.state_dict()
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    backbone, told = _load(str(path))
    assert told == f"file {path.name} sha256 {sha256_file(path)}"
    assert torch.equal(backbone.network.layer4[1].conv2.weight, published.layer4[1].conv2.weight)
    assert torch.equal(backbone.network.bn1.running_var, published.bn1.running_var)


def test_inception_s_auxiliary_head_is_passed_over(tmp_path):
    published, path = models.inception_v3(init_weights=False), tmp_path / "inception.pth"
    torch.save(published.state_dict(), path)
    backbone, _ = _load(str(path), "inception_v3")
    assert torch.equal(backbone.network.Mixed_7c.branch1x1.conv.weight, published.Mixed_7c.branch1x1.conv.weight)


@pytest.mark.parametrize("other", ["resnet34", "resnet50", "mobilenet_v3_small"])
def test_weights_of_another_network_are_refused(tmp_path, other):
    torch.save(models.get_model(other).state_dict(), tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"other.pth, weights of resnet18, must fit the network, \d+ weights do not"):
        _load(str(tmp_path / "other.pth"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="hub, random or a file, there is none at"):
        _load(str(tmp_path / "none.pth"))


def test_a_file_with_code_or_garbage_is_refused(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    torch.save(models.resnet18(), tmp_path / "module.pth")  # a pickled module may run anything
    for name in ("broken.safetensors", "module.pth"):
        with pytest.raises(ModelError, match="without code, it cannot be read"):
            _load(str(tmp_path / name))


@pytest.mark.parametrize("network", ["resnet18", "timm/test_resnet.r160_in1k"])
def test_where_nobody_answers_at_the_hub_weights_are_random_and_said_to_be(network, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # refuses every connection
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    torch.manual_seed(0)
    built = Backbone(network)
    backbone, told = _load("hub", network)
    assert told.startswith("random (the hub could not be reached: ")
    assert "refused" in told
    assert all(torch.equal(one, other) for one, other in zip(backbone.parameters(), built.parameters(), strict=True))


def test_another_file_than_was_submitted_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(Backbone(TINY).network.state_dict(), path)
    pinned = BackboneSettings(network=TINY, weights=str(path)).pinned()
    assert load_starting_weights(Backbone(TINY), pinned).endswith(pinned.weights_sha256)
    torch.save(Backbone(TINY).network.state_dict(), path)
    with pytest.raises(ModelError, match="must be the file that the run was submitted with"):
        load_starting_weights(Backbone(TINY), pinned)
