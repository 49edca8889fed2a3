"""Notes of what DVC made: left by DVC's stages alone, and held against the parameter file."""

import pytest

from pcpg import parameters
from pcpg.settings import handover
from pcpg.settings.plan import Plan
from pcpg.workspace.errors import InputError

JOB = {"corpus": "grid", "run": "k1s1", "seed": "1"}


@pytest.fixture
def plans(root, tmp_path, monkeypatch):
    """Plans of the smoke preset and of the same with another shift of the views, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    text = (root / "tests/smoke.params.yaml").read_text()
    changed = text.replace("shift: 4", "shift: 3", 1)
    assert changed != text
    (tmp_path / "changed.yaml").write_text(changed)
    return Plan(parameters.read(root / "tests/smoke.params.yaml")), Plan(parameters.read("changed.yaml"))


def test_dvcs_stages_leave_notes_and_others_remove_them(plans, monkeypatch):
    plan, changed = plans
    monkeypatch.setenv("DVC_STAGE", "train_from_run@grid-k1s1-1")
    handover.note(plan, "train", JOB)
    handover.refuse_stale(plan, "params.yaml")
    with pytest.raises(InputError, match=r"^params\.yaml: DVC ran train grid k1s1 1 with other values or code"):
        handover.refuse_stale(changed, "params.yaml")
    monkeypatch.delenv("DVC_STAGE")
    handover.note(changed, "train", JOB)  # as Snakemake runs it
    handover.refuse_stale(changed, "params.yaml")


def test_a_note_of_a_run_that_is_gone_counts_no_more(plans, monkeypatch):
    _, changed = plans
    monkeypatch.setenv("DVC_STAGE", "")
    handover.note(changed, "train", JOB)
    del changed.params.runs["grid"]["k1s1"]
    handover.refuse_stale(changed, "params.yaml")


def test_a_long_list_is_cut_and_can_be_forgotten(plans, monkeypatch):
    plan, changed = plans
    monkeypatch.setenv("DVC_STAGE", "some")
    for seed in "12345":
        handover.note(plan, "train", JOB | {"seed": seed})
    with pytest.raises(InputError, match="k1s1 3 and 2 more with"):
        handover.refuse_stale(changed, "params.yaml")
    handover.forget(plan)
    handover.refuse_stale(changed, "params.yaml")
