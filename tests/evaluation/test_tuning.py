"""The search of presets: what it looks at, with trials that measure nothing."""

import pytest

from inverse.evaluation import tune
from inverse.evaluation.tune import CROP, WHOLE
from inverse.solvers import SOLVERS


@pytest.mark.parametrize(("crops", "several"), [(False, True), (True, False)])
def test_on_crops_settings_are_searched_without_whole_photos(monkeypatch, crops, several):
    """What was found, here the defaults, is measured on both."""
    asked = {CROP: set(), WHOLE: set()}

    def psnr(self, task, solver, *views):
        for view in views:
            asked[view].add(solver)
        return 20.0

    monkeypatch.setattr(tune.Trials, "psnr", psnr)
    (found,) = tune.rows(SOLVERS["ddrm"], ["denoise"], {}, None, True, crops)
    assert found["ddrm"]["denoise"].settings == {} and found["ddrm"]["denoise"].whole == 20.0
    assert len(asked[CROP]) > 5 and (len(asked[WHOLE]) > 1) == several
