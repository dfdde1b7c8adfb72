from glassline.data.captures.store import open_captures


def test_capture_takes_a_simulated_glass_and_goes_on(glassline, tmp_path):
    told = glassline("capture", "--glass", "G0002", "--product", "P1", "--cycle", "7", "--out", tmp_path)
    assert told.returncode == 0, told.stderr
    assert "G0002_clean_01: 6 frames, 12.6 MB (2 of 2)" in told.stdout
    captures = open_captures(tmp_path)
    assert [captures.meta(ref).product for ref in captures.zones()] == ["P1", "P1"]
    again = glassline("capture", "--glass", "G0002", "--product", "P1", "--cycle", "7", "--out", tmp_path)
    assert "all 2 zones were whole already" in again.stdout


def test_capture_tells_a_bad_rig_in_one_line(glassline, tmp_path):
    rig = tmp_path / "rig.yaml"
    rig.write_text("scan: areal\n")
    told = glassline("capture", "--rig", rig, "--glass", "G0001", "--out", tmp_path)
    assert told.returncode == 1
    assert told.stderr.startswith("error: RigSettings does not accept this: scan")
    assert told.stderr.count("\n") == 1
