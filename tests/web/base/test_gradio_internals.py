"""What the app uses of Gradio beyond its documentation is there. A failure names what a new version moved."""

import ast
import inspect
from pathlib import Path

import gradio as gr
import pytest
from gradio.routes import App, file_upload_statuses
from gradio.tunneling import CURRENT_TUNNELS

import inverse.web
from inverse.web.base import gradio_internals as internals
from inverse.web.base.sessions import Sessions

WEB = Path(inverse.web.__file__).parent
PRIVATE = {"_queue", "fns", "default_config", "state_holder"}


@pytest.fixture
def blocks():
    with gr.Blocks() as made:
        text, state = gr.Textbox(), gr.State("kept")
        gr.Button().click(lambda text, state: (text, state), [text, state], [text, state])
    return made


def test_private_names_are_used_in_one_module_only():
    for file in WEB.rglob("*.py"):
        if file.name == "gradio_internals.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gradio":
                assert node.module == "gradio", f"{file.name}: {node.module}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in PRIVATE or "scope" in ast.unparse(node), f"{file.name}: {ast.unparse(node)}"


def test_what_our_classes_override_and_read_is_there(blocks):
    made = {
        internals.Queue: internals.Queue(True, 1, 1, 1, blocks),
        internals.StateHolder: Sessions(),
        gr.Blocks: blocks,
    }
    for kind, (methods, attributes) in internals.EXTENDED.items():
        assert all(callable(getattr(kind, name, None)) for name in methods.split()), kind
        assert not [name for name in attributes.split() if not hasattr(made[kind], name)], kind


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (internals.Queue.push, ["self", "body", "request", "username"]),
        (internals.Queue.process_events, ["self", "events"]),
        (internals.Queue.send_message, ["self", "event", "event_message"]),
        (internals.StateHolder.__getitem__, ["self", "session_id"]),
        (gr.Blocks.preprocess_data, ["self", "block_fn", "inputs"]),
        (gr.Blocks.call_function, ["self", "block_fn", "processed_input", "iterator", "requests"]),
    ],
)
def test_what_we_override_takes_the_same(method, parameters):
    assert [*inspect.signature(method).parameters][: len(parameters)] == parameters


def test_a_session_has_every_attribute_of_gradios(blocks):
    own, theirs = internals.Session(blocks), internals.SessionState(blocks)
    assert vars(own).keys() == vars(theirs).keys()
    state = next(part for part in blocks.blocks.values() if isinstance(part, gr.State))
    for session in (own, theirs):
        session[state._id] = "new"
        assert session[state._id] == "new"


def test_an_event_has_what_the_line_reads():
    assert {"_id", "fn", "session_hash", "concurrency_id", "alive"} <= {
        *inspect.getsource(internals.Event).replace(".", " ").replace(":", " ").split()
    }


def test_a_queue_a_session_and_handlers_are_found(blocks):
    queue, sessions, app = internals.Queue(True, 1, 1, 1, blocks), Sessions(), App()
    internals.use_queue(blocks, queue)
    assert internals.queue_of(blocks) is queue and internals.queue_of(None) is None
    blocks.state_session_capacity = 7
    internals.use_sessions(app, blocks, sessions)
    assert app.state_holder is sessions and sessions.blocks is blocks
    (handler,) = internals.functions(blocks).values()
    assert len(handler.inputs) == len(handler.outputs) == 2


def test_a_docstring_is_read():
    def function(first: int, second: int) -> None:
        """Does it.

        Args:
            first: one.
            second: two.
        """

    assert internals.descriptions(function) == {"first": "one.", "second": "two."}


def test_uploads_go_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert internals.upload_folder() == tmp_path


def test_notes_of_uploads_are_forgotten():
    file_upload_statuses.track("one")
    assert "one" in internals.forget_uploads(set())
    internals.forget_uploads({"one"})
    assert not file_upload_statuses._statuses and not file_upload_statuses._signals


def test_tunnels_are_ended(monkeypatch):
    class Tunnel:
        def kill(self):
            ended.append(self)

    ended = []
    monkeypatch.setattr("inverse.web.base.gradio_internals.CURRENT_TUNNELS", [Tunnel()])
    internals.end_tunnels()
    assert len(ended) == 1 and isinstance(CURRENT_TUNNELS, list)


def test_nobody_is_served_outside_a_request():
    assert internals.LocalContext.request.get(None) is None and internals.LocalContext.blocks.get(None) is None


def test_messages_say_how_a_job_ended():
    generating = internals.ProcessGeneratingMessage(output={}, success=True)
    completed = internals.ProcessCompletedMessage(output={"error": None}, success=False)
    assert generating.success and not completed.success and completed.output == {"error": None}


def test_no_component_is_a_class_of_ours():
    """Gradio would write a .pyi beside its source when it is imported, if it can."""

    def heirs(kind):
        return {kind, *(heir for each in kind.__subclasses__() for heir in heirs(each))}

    import inverse.web.page.events  # noqa: F401  with all elements

    assert not [kind for kind in heirs(gr.components.Component) if kind.__module__.startswith("inverse.")]


def test_a_field_that_is_unchecked_stays_so_after_every_update():
    with gr.Blocks() as made:
        field, checked = internals.unchecked(gr.Radio(["a"])), gr.Radio(["a"])
    session = internals.Session(made)
    for choices in (["b"], ["c"]):  # as Gradio does for an update
        for each in (field, checked):
            session[each._id] = each.__class__(choices=choices, render=False)
        assert session[field._id].preprocess("a choice that is gone") == "a choice that is gone"
        with pytest.raises(gr.Error):
            session[checked._id].preprocess("a choice that is gone")
    assert field.preprocess("any") == "any"
