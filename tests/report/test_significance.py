"""The picture of which methods differ."""

import numpy as np
import pandas as pd
import pytest

from glassline.report.significance import significance_figure


@pytest.mark.parametrize("methods", [1, 2, 9])
def test_every_pair_is_told_and_the_diagonal_shows_accuracies(methods):
    names = [f"m{number}" for number in range(methods)]
    p_MM = pd.DataFrame(0.5, index=names, columns=names)
    for name in names:
        p_MM.loc[name, name] = np.nan
    if methods > 1:
        p_MM.loc["m0", "m1"] = p_MM.loc["m1", "m0"] = 1e-9
    fig = significance_figure(p_MM, pd.Series(np.linspace(0.9, 0.5, methods), index=names))
    told = [text.get_text() for text in fig.axes[0].texts]
    assert told.count("< .0001") == (2 if methods > 1 else 0)
    assert told.count("0.5000") == methods * (methods - 1) - told.count("< .0001")
    assert "0.900" in told
