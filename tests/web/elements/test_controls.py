"""Controls are made from specifications."""

import gradio as gr
from pages import values_of

from inverse.operators import TASKS
from inverse.parameters import Flag, Integer, Parameters, Real, choice, flag, integer, real
from inverse.solvers import SOLVERS
from inverse.web.elements import controls


def test_every_parameter_of_every_task_and_solver_has_a_control_that_reads_back(page):
    values = values_of(page)
    for groups, registry in ((page.tasks, TASKS), (page.solvers, SOLVERS)):
        assert list(groups.groups) == list(registry)
        for name, kind in registry.items():
            group = groups.groups[name]
            assert list(group.controls) == list(kind.specs())
            assert kind.create(groups.read(name, values))


def test_a_control_carries_the_specification():
    class Made(Parameters):
        pass

    specs = {
        "share": real(0.5, 0.0, 1.0, help="A share.", effect="Too low is low.", unit="of all").metadata["spec"],
        "steps": integer(10, 2, 1000, help="Steps.").metadata["spec"],
        "kind": choice("one", "one", "two", help="Kind.").metadata["spec"],
        "on": flag(True, help="Switch.").metadata["spec"],
    }
    with gr.Blocks():
        made = {name: controls.control(spec, None, name=name, elem_id=name) for name, spec in specs.items()}
    share, count = made["share"].html_template, made["steps"].js_on_load
    given = made["share"].js_on_load
    assert all(part in given for part in ('"low": 0.0', '"high": 1.0', '"whole": false', "of all"))
    assert "A share. Too low is low." in share and specs["share"].limits in share
    assert '"whole": true' in count and '"log": true' in count, "a wide range of counts is explored by factors"
    assert '<option value="two">Two</option>' in made["kind"].html_template and "Kind." in made["kind"].html_template
    assert isinstance(made["on"], gr.Checkbox) and isinstance(specs["on"], Flag)
    assert isinstance(specs["share"], Real) and isinstance(specs["steps"], Integer)


def test_one_group_of_each_registry_is_shown(page):
    for groups in (page.tasks, page.solvers):
        for name in groups.groups:
            shown = [column for column, update in groups.show(name).items() if update["visible"]]
            assert shown == [groups.groups[name].column]


def test_help_texts_stand_for_themselves_in_a_template():
    hostile = Real(help='`${alert(1)}` {{value}} \\ <b>"x"</b>', low=0, high=1)
    with gr.Blocks():
        made = controls.control(hostile, 0.5, name="x", elem_id="x")
    text = made.html_template.split('class="inv-help" hidden>')[1].split("</p>")[0]
    assert not set('`${}\\<"') & set(text)
