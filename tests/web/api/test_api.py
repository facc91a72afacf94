"""The API of a running app, by the real client and by hostile requests: six endpoints, and nothing beside them."""

import base64
import io
import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from offered import offered, two
from PIL import Image, ImageStat

from inverse import web
from inverse.imaging import images
from inverse.operators import TASKS
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS
from inverse.solvers.presets import preset
from inverse.text import visible_record
from inverse.web.jobs import priors, running

ROOT = Path(__file__).parents[3]
QUICK = {"task": "denoise", "size": 64, "solver": {"name": "diffpir", "parameters": {"steps": 3}}}
HTTP = httpx.Client(timeout=120)
ENDPOINTS = {"/degrade", "/diagnose", "/estimate_kernel", "/restore", "/sweep", "/treatments", "/solvers"}


class Watch:
    """Stands before the library's stream, and counts the runs that began and that ended."""

    def __init__(self, stream):
        self.stream, self.begun, self.closed = stream, 0, 0

    def __call__(self, *arguments, **settings):
        self.begun += 1
        try:
            yield from self.stream(*arguments, **settings)
        finally:
            self.closed += 1


@pytest.fixture(scope="module")
def app(free_port):
    watch = running.stream = Watch(running.stream)
    page = web.build()
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("GRADIO_MCP_SERVER", raising=False)
        web.launch(page, server_name="127.0.0.1", server_port=free_port, prevent_thread_lock=True)
    yield f"http://127.0.0.1:{free_port}", watch
    running.stream = watch.stream
    page.close()


@pytest.fixture(scope="module")
def url(app):
    return app[0]


@pytest.fixture(scope="module")
def client(url, tmp_path_factory):
    return Client(url, verbose=False, analytics_enabled=False, download_files=tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def photo_file(photo, tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    photo.save(path)
    return path


@pytest.fixture(scope="module")
def uploaded(url, photo_file):
    with photo_file.open("rb") as file:
        answer = HTTP.post(f"{url}/gradio_api/upload", files={"files": ("photo.png", file)})
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def call(url, name, data):
    """What a bare client gets: the event's name and its data."""
    body = json.dumps({"data": data})  # which, unlike httpx, writes NaN
    head = {"content-type": "application/json"}
    joined = HTTP.post(f"{url}/gradio_api/call/{name}", content=body, headers=head)
    if joined.status_code != 200:
        return "refused", joined.text
    answer = HTTP.get(f"{url}/gradio_api/call/{name}/{joined.json()['event_id']}").text
    event, said = re.findall(r"event: (\w+)\ndata: (.*)", answer)[-1]
    return event, json.loads(said)


def test_no_client_steers_the_log(url):
    """The app's records are made fit to print, whoever writes them."""
    assert logging.getLogRecordFactory() is visible_record


def test_exactly_these_endpoints_are_shown_and_explained(client, url):
    info = client.view_api(return_format="dict")
    assert set(info["named_endpoints"]) == ENDPOINTS and not info["unnamed_endpoints"]
    for name, endpoint in info["named_endpoints"].items():
        assert endpoint["description"].endswith("."), name
        types = [(each["python_type"]["type"], each["parameter_has_default"]) for each in endpoint["parameters"]]
        for each in endpoint["parameters"]:
            words = each["python_type"]["description"]
            assert words.endswith(".") and each["label"] == each["parameter_name"], (name, each)
        if name != "/solvers":
            assert types[0] == ("filepath", False) and (types[-1][1] or len(types) == 1), (
                "a photo must be given, an auxiliary picture not"
            )


def test_degrade_gives_the_same_pixels_as_the_library(client, photo, photo_file):
    picture, record = client.predict(handle_file(photo_file), {"task": "denoise", "sigma_y": 0.2}, api_name="/degrade")
    problem = Settings.create(task="denoise", sigma_y=0.2).problem(photo)
    assert Image.open(picture).tobytes() == problem.measurement.tobytes()
    assert record["notes"] == [] and record["settings"]["sigma_y"] == 0.2


def test_diagnose_says_what_is_wrong_and_what_restores_it(client, tmp_path):
    scan = Image.new("RGB", (400, 420), (90, 110, 130))
    scan.paste("white", (195, 20, 198, 390))
    scan.save(tmp_path / "scan.png")
    mask, record = client.predict(handle_file(tmp_path / "scan.png"), api_name="/diagnose")
    assert "scratched" in record["suggested"] and record["findings"][0]["expectation"].endswith(".")
    assert (np.asarray(Image.open(mask))[20:390, 195:198] > 0).all()
    again = Settings.from_dict(record["settings"])[0]
    assert again.task.auxiliary == "mask" and again.degraded


def test_treatments_of_a_part_and_their_settings(client, photo, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).normal(0, 15, (photo.height, photo.width, 3))
    grainy = Image.fromarray((np.asarray(photo) + noise).clip(0, 255).astype(np.uint8))
    grainy.save(tmp_path / "grain.png")
    asked = {"task": "denoise", "sigma_y": 0.1, "solver": {"name": "cse", "parameters": {"steps": 1}}}
    *earlier, (picture, record) = client.submit(
        handle_file(tmp_path / "grain.png"), asked, None, "1,1", api_name="/treatments"
    )
    assert all(image is None for image, _ in earlier) and record["phase"] == "done"
    assert record["part"][2] <= photo.width and record["part"][3] == photo.height
    ways = {each["name"]: Settings.from_dict(each["settings"])[0] for each in record["treatments"]}
    assert ways["Less grain"].sigma_y == 0.16 and ways["As it is set"].degraded
    assert Settings.from_dict(read(Path(picture).read_bytes()))[0] == ways["As it is set"]
    for wrong in ("1", "2,0", "a,b"):
        with pytest.raises(AppError, match="two shares from 0 to 1"):
            client.predict(handle_file(tmp_path / "grain.png"), asked, None, wrong, api_name="/treatments")


def test_restore_streams_and_ends_with_a_picture_that_carries_its_settings(client, photo, photo_file):
    *earlier, (picture, record) = client.submit(handle_file(photo_file), QUICK, api_name="/restore")
    assert earlier and all(image is None for image, _ in earlier)
    previews = [each["preview"] for _, each in earlier if each["preview"]]
    frame = Image.open(io.BytesIO(base64.b64decode(previews[0].split(",")[1])))
    made, notes = Settings.from_dict(read(Path(picture).read_bytes()))
    assert made == Settings.from_dict(record["settings"])[0] and not notes
    problem = made.problem(photo)
    assert frame.size == images.to_image(problem.truth).size == Image.open(picture).size
    assert record["phase"] == "done" and record["step"] == record["total"] and record["progress"] == 100
    assert {"kind", "level", "text", "remedy"} == record["verdict"][0].keys()
    assert record["psnr"] > 10 and 0 < record["ssim"] <= 1 and record["nfe"] == sum(made.solver.cost[:1])


def test_what_is_left_out_takes_its_default(client, photo_file):
    _, record = client.predict(handle_file(photo_file), api_name="/degrade")
    assert record["settings"]["task"]["name"] in TASKS and record["settings"]["size"] is None


def test_an_already_degraded_photo_is_taken_as_it_is(client, photo, photo_file):
    asked = {**QUICK, "mode": "degraded"}
    picture, record = client.predict(handle_file(photo_file), asked, api_name="/restore")
    assert record["psnr"] is None and 0 < record["settings"]["sigma_y"] < 1
    assert Image.open(picture).size == photo.size


def test_a_photo_is_restored_at_its_own_size_and_in_its_own_format(client, photo, tmp_path):
    path = tmp_path / "large.jpg"
    photo.resize((1300, 1010)).save(path, quality=95)
    mask = Image.new("L", photo.size)
    mask.paste("white", (20, 20, 24, 22))
    mask.save(tmp_path / "mask.png")
    once = {"name": "cse", "parameters": {"steps": 1}}
    asked = {"mode": "degraded", "full_size": True, "task": "inpaint-mask", "solver": once}
    files = handle_file(path), asked, handle_file(tmp_path / "mask.png")
    *earlier, (picture, record) = client.submit(*files, api_name="/restore")
    assert all(image is None for image, _ in earlier) and record["phase"] == "done" and record["progress"] == 100
    assert picture.endswith("large-restored.jpg") and Image.open(picture).size == (1300, 1010)
    assert record["settings"]["full_size"] and any("was fitted to" in note for note in record["notes"])
    with pytest.raises(AppError, match="endpoint restore"):
        client.predict(handle_file(path), "steps=1,2", "", asked, files[2], api_name="/sweep")


def test_every_sample_comes_as_a_picture(client, photo_file):
    picture, record = client.predict(handle_file(photo_file), {**QUICK, "samples": 2}, api_name="/restore")
    first, second = (Image.open(path).tobytes() for path in record["samples"])
    assert Image.open(picture).tobytes() == first != second


def test_settings_that_are_not_known_are_listed(client, photo_file):
    asked = {**QUICK, "foo": 1, "task": {"name": "denoise", "parameters": {"bar": 2}}}
    _, record = client.predict(handle_file(photo_file), asked, api_name="/restore")
    assert "foo" in record["notes"][0] and "bar" in record["notes"][0]


def test_sweep_streams_cells_and_ends_with_a_table_and_a_grid(client, photo_file):
    job = client.submit(handle_file(photo_file), "steps=2,3", "seed=5,6", QUICK, api_name="/sweep")
    *earlier, (picture, record) = job
    cells = [each["cell"] for _, each in earlier if each["cell"]]
    places = [(cell["steps"], cell["seed"]) for cell in cells]
    assert sorted(places) == [(2, 5), (2, 6), (3, 5), (3, 6)] and all(cell["preview"] for cell in cells)
    assert [(row["steps"], row["seed"]) for row in record["table"]] == places
    assert record["best"]["psnr"] == max(record["table"], key=lambda row: row["psnr"])["index"]
    assert record["csv"].splitlines()[0].startswith("steps,seed,psnr")
    assert Settings.from_dict(read(Path(picture).read_bytes()))[0].solver.name == "diffpir"


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_sweep_comes_as_a_figure_for_print_where_that_is_asked_for(client, photo_file, kind):
    asked = {"settings": QUICK, "figure": kind, "api_name": "/sweep"}
    *_, (file, record) = client.submit(handle_file(photo_file), "steps=2,3", **asked)
    content = Path(file).read_bytes()
    assert record["phase"] == "done" and Path(file).suffix == f".{kind}"
    if kind == "svg":
        assert content.startswith(b"<svg") and content.count(b"data:image/") == 2 and b"guidance_scale 0.5" in content
    else:
        assert Settings.from_dict(read(content))[0].solver.name == "diffpir"


def test_a_figure_of_another_kind_is_refused_in_a_sentence(client, photo_file):
    with pytest.raises(AppError, match="figure must be one of svg, png"):
        client.predict(handle_file(photo_file), "steps=2", settings=QUICK, figure="pdf", api_name="/sweep")


def test_cells_of_a_sweep_are_one_sample_each_and_the_client_is_told(client, photo_file):
    *_, (_, record) = client.submit(handle_file(photo_file), "steps=2", "", {**QUICK, "samples": 3}, api_name="/sweep")
    assert record["settings"]["samples"] == 1 and [note.split()[0] for note in record["notes"]] == ["samples"]


def test_solvers_lists_the_registries_and_what_it_lists_is_allowed(client):
    listed = client.predict(api_name="/solvers")
    assert [task["name"] for task in listed["tasks"]] == list(TASKS)
    assert [solver["name"] for solver in listed["solvers"]] == list(SOLVERS)
    for task in listed["tasks"]:
        defaults = {name: spec["default"] for name, spec in task["parameters"].items()}
        assert TASKS[task["name"]].create(defaults) == TASKS[task["name"]]()
    for solver in listed["solvers"]:
        kind, specs = SOLVERS[solver["name"]], solver["parameters"]
        for bound in ("minimum", "maximum"):
            assert kind.create({name: spec[bound] for name, spec in specs.items() if bound in spec})
        for task, changed in solver["presets"].items():
            assert kind.create(changed) == preset(task, solver["name"])


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (("seed",), "seed"),
        (("size",), "size"),
        (("sigma_y",), "sigma_y"),
        (("task", "parameters", "missing"), "missing"),
        (("solver", "parameters", "steps"), "steps"),
    ],
)
def test_hostile_values_end_in_a_sentence_that_names_the_field(url, uploaded, path, fields):
    for bad in (float("nan"), float("inf"), True, "7", [5], {}, 1e308, -1):
        asked = {"task": {"name": "inpaint-random", "parameters": {}}, "solver": {"name": "dps", "parameters": {}}}
        place = asked
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = bad
        event, said = call(url, "degrade", [uploaded, asked, None])
        assert event == "error" and said["error"].startswith(f"{fields} must be a"), (bad, said)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (5, "settings must be an object"),
        (["denoise"], "settings must be an object"),
        ({"task": "<b>no</b>"}, "'<b>no</b>' is not a task"),
        ({"task": ["denoise"]}, "task in these settings must have a name"),
        ({"solver": {"name": "dps", "parameters": 5}}, "solver in these settings must have a name"),
        ({"task": 0}, "task in these settings must have a name"),
        ({"task": None}, "task in these settings must have a name"),
        ({"task": ""}, "'' is not a task"),
        ({"solver": False}, "solver in these settings must have a name"),
        ({"prior": ""}, "prior must be a text"),
        ({"seed": None}, "seed must be"),
        ({"mode": 5}, "mode must be"),
        ({"mode": "degraded"}, "mode must be"),
        ({"schema": 99}, "Update the program"),
        ({"prior": "../../etc"}, "prior must be"),
        ({"samples": 64}, "samples must be a whole number"),
        ({"auxiliary": "!", "task": "inpaint-mask"}, "damaged"),
        ({"task": "inpaint-mask"}, "mask"),
    ],
)
def test_settings_that_are_none_are_refused_in_a_sentence(url, uploaded, asked, words):
    event, said = call(url, "degrade", [uploaded, asked, None])
    assert event == "error" and words in said["error"], said


@pytest.mark.parametrize(
    "x", [5, None, "", "steps", "steps=<b>", "steps=1:9:4000", "colour=1,2", "=1", "steps=" + "1," * 999]
)
def test_axes_that_are_none_are_refused_in_a_sentence(url, uploaded, x):
    event, said = call(url, "sweep", [uploaded, x, "", QUICK, None, "", ""])
    assert event == "error" and said["error"].endswith(".") and "inside the program" not in said["error"], said


@pytest.fixture
def nothing_is_fetched(monkeypatch):
    from gradio import processing_utils

    async def fetched(*_, **__):
        raise AssertionError("a link was fetched")

    monkeypatch.setattr(processing_utils, "async_ssrf_protected_download", fetched)
    monkeypatch.setattr(processing_utils, "save_file_to_cache", fetched)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", str(ROOT / "app.py"), "../pyproject.toml", "pyproject.toml", "", 5, None, [],
        "http://127.0.0.1:9/a.png", "https://example.com/a.png", "data:image/png;base64,AAAA", "file:///etc/passwd",
        "https://example.com/gradio_api/file=/etc/passwd", "a" * 5000, "\0",
    ],
)  # fmt: skip
def test_only_uploads_are_opened_and_nothing_is_fetched(url, uploaded, nothing_is_fetched, path):
    """P1, P2: as the photo, as the auxiliary picture, and hidden in the settings."""
    bad = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for data in (
        [bad, {}, None],
        [uploaded, {"task": "inpaint-mask"}, [bad]],
        [uploaded, {"task": {"name": [bad]}}, None],
    ):
        event, said = call(url, "degrade", data)
        assert event == "error" and "uploaded here" in said["error"], said


def test_no_file_of_the_server_is_given_away(url, uploaded):
    for path in ("/etc/passwd", "/proc/self/environ", str(ROOT / "pyproject.toml"), "pyproject.toml"):
        assert HTTP.get(f"{url}/gradio_api/file={path}").status_code in (403, 404), path
    assert HTTP.get(f"{url}/gradio_api/file={uploaded['path']}").status_code == 200


@pytest.mark.parametrize("value", [None, 5, "x", [1], {}, {"path": "/etc/passwd"}, {"path": "x", "meta": "y"}])
def test_a_photo_that_is_no_file_is_refused_in_a_sentence(url, value):
    event, said = call(url, "restore", [value, QUICK, None, ""])
    assert event == "error" and "uploaded here" in said["error"], said


def test_the_pages_own_events_open_only_uploads_too(url, nothing_is_fetched):
    """They are private, which hides them, and not more."""
    config = HTTP.get(f"{url}/config").json()
    hostile = {"path": "http://127.0.0.1:9/a.png", "meta": {"_type": "gradio.FileData"}}
    queued = (each for each in config["dependencies"] if each["queue"] and each["inputs"])
    index, count = min(((each["id"], len(each["inputs"])) for each in queued), key=lambda each: each[1])
    body = {"data": [hostile] * count, "fn_index": index, "session_hash": "s", "event_data": None, "trigger_id": None}
    assert HTTP.post(f"{url}/gradio_api/queue/join", json=body).status_code == 200
    with HTTP.stream("GET", f"{url}/gradio_api/queue/data", params={"session_hash": "s"}) as stream:
        ended = next(line for line in stream.iter_lines() if "process_completed" in line)
    assert "uploaded here" in ended


def test_tools_for_language_models_are_closed_unless_asked_for(url):
    """All their clients would share one session, and leave jobs behind."""
    assert not HTTP.get(f"{url}/config").json().get("mcp_server")
    question = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    kinds = {"Accept": "application/json, text/event-stream"}
    assert HTTP.post(f"{url}/gradio_api/mcp/", json=question, headers=kinds).status_code in (404, 405)


def test_the_address_of_an_upload_stands_for_it(url, uploaded):
    """As MCP clients name it."""
    link = f"{url}/gradio_api/file={uploaded['path']}"
    event, _ = call(url, "degrade", [{"path": link, "meta": {"_type": "gradio.FileData"}}, QUICK, None])
    assert event == "complete"


def test_a_wrong_number_of_values_and_deep_nesting_are_refused_in_a_sentence(url, uploaded):
    assert "expected" in call(url, "degrade", [uploaded])[1]["error"]
    nested = {}
    for _ in range(200):
        nested = {"a": nested}
    assert "nested" in call(url, "degrade", [uploaded, nested, None])[1]["error"]


def test_direct_requests_that_would_pass_the_queue_are_closed(url, uploaded):
    for name in ("restore", "sweep", "degrade", "solvers"):
        for route in ("api", "run"):
            for session, status in (({"session_hash": "abc"}, 404), ({}, 400)):
                answer = HTTP.post(f"{url}/gradio_api/{route}/{name}", json={"data": [uploaded, {}, None], **session})
                assert answer.status_code == status, (route, name)


def test_errors_reach_the_client_as_our_sentences(client, photo_file):
    with pytest.raises(AppError, match="steps must be a whole number"):
        client.predict(
            handle_file(photo_file), {"solver": {"name": "dps", "parameters": {"steps": 0}}}, api_name="/restore"
        )


def test_cancelling_closes_the_solver_and_frees_the_device(app, client, photo_file):
    _, watch = app
    endless = {"task": "denoise", "size": 64, "solver": {"name": "dps", "parameters": {"steps": 1000}}}
    job = client.submit(handle_file(photo_file), endless, api_name="/restore")
    for _, record in job:
        if record["step"]:
            break
    assert watch.begun == watch.closed + 1
    job.cancel()
    assert _soon(lambda: watch.closed == watch.begun)
    client.predict(handle_file(photo_file), QUICK, api_name="/restore")


def _soon(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_two_clients_at_once_each_get_their_own(url, tmp_path):
    def run(colour):
        path = tmp_path / f"{colour}.png"
        Image.new("RGB", (64, 64), colour).save(path)
        client = Client(url, verbose=False, analytics_enabled=False, download_files=tmp_path / f"{colour}-out")
        start.wait(30)
        return client.predict(handle_file(path), QUICK, api_name="/restore")[0]

    start = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        red, blue = threads.map(run, ("red", "blue"))
    for picture, strongest in ((red, 0), (blue, 2)):
        means = ImageStat.Stat(Image.open(picture)).mean
        assert means[strongest] == max(means) and means[strongest] > 200 and min(means) < 50


def test_known_pixels_of_a_damaged_photo_stay_exactly(url, uploaded, photo):
    mask, buffer = Image.new("RGBA", photo.size, (0, 0, 0, 0)), io.BytesIO()
    mask.paste((0, 0, 0, 255), (10, 10, 30, 20))
    mask.save(buffer, "PNG")
    sent = HTTP.post(f"{url}/gradio_api/upload", files={"files": ("mask.png", buffer.getvalue())}).json()[0]
    task = {"name": "inpaint-mask"}
    wanted = {**QUICK, "mode": "degraded", "task": task, "sigma_y": 0.02, "size": None}
    for keep in ("auto", "never"):
        task["parameters"] = {"keep_known": keep}
        helper = {"path": sent, "meta": {"_type": "gradio.FileData"}}
        event, (file, record) = call(url, "restore", [uploaded, wanted, helper, ""])
        assert event == "complete" and "The mask marks 5.0% of the pixels as missing." in record["notes"]
        found = np.asarray(Image.open(io.BytesIO(HTTP.get(file["url"]).content)))
        known = np.asarray(mask)[..., 3] == 0
        assert np.array_equal(found[known], np.asarray(photo)[known]) is (keep == "auto")


# Priors


def test_the_priors_are_listed_with_what_settings_keep_of_them(client):
    listed = {each["name"]: each for each in client.predict(api_name="/solvers")["priors"]}
    assert listed["embedded"]["here"] and not listed["embedded"]["refused"] and listed["embedded"]["tuned"]
    for name, offer in priors.offered().items():
        assert listed[name]["settings"] == offer.identity and listed[name]["licence"] == offer.card.licence


@pytest.mark.parametrize("bad", ["nothing", "/etc/passwd", "ddpm-celebahq-256", 5, None, ["embedded"], "x" * 300])
def test_a_prior_that_is_not_offered_is_refused_in_a_sentence(url, uploaded, bad):
    for name, data in (
        ("restore", [uploaded, QUICK, None, bad]),
        ("sweep", [uploaded, "steps=2", "", QUICK, None, bad, ""]),
    ):
        event, said = call(url, name, data)
        assert event == "error" and said["error"].startswith("prior must be"), said
    event, said = call(url, "sweep", [uploaded, f"prior={bad}", "", QUICK, None, "", ""])
    assert event == "error" and "prior" in said["error"] and said["error"].endswith("."), said


def test_a_prior_of_the_operators_is_used_by_its_name_and_named_by_its_digest(client, photo_file, tmp_path):
    quick = {**QUICK, "size": 16}
    with offered(*two(tmp_path / "secret")) as found:
        picture, record = client.predict(handle_file(photo_file), quick, prior="faces", api_name="/restore")
        identity = found["faces"].identity
        assert record["settings"]["prior"] == identity == read(Path(picture).read_bytes())["prior"]
        again, _ = client.predict(handle_file(photo_file), {**quick, "prior": identity}, api_name="/restore")
        assert Path(again).read_bytes() == Path(picture).read_bytes()
        other, _ = client.predict(handle_file(photo_file), quick, api_name="/restore")
        assert Image.open(other).tobytes() != Image.open(picture).tobytes()
        axis = "prior=embedded,faces"
        *_, (_, record) = client.submit(handle_file(photo_file), axis, "", quick, api_name="/sweep")
        assert [row["prior"] for row in record["table"]] == ["embedded", identity]
        assert "secret" not in json.dumps(record)
