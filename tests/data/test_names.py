"""Names from the data as parts of metric and file names."""

import pytest

from glassline.data.names import plain_name


@pytest.mark.parametrize(
    ("name", "plain"),
    [("dent", "dent"), ("a b-c_d.e 1", "a b-c_d.e 1"), ("Kratzer ü", "Kratzer ü"), ("dent/mold", "dent_mold"),
     ("<b>&'\"%", "_b_____"), ("a\nb", "a_b"), ("../x", ".._x")],
)  # fmt: skip
def test_plain_name_keeps_letters_digits_and_what_mlflow_takes(name, plain):
    assert plain_name(name) == plain
