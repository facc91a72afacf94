"""Opens the app: `python app.py`, then http://127.0.0.1:7860 (or the port in GRADIO_SERVER_PORT)."""

from inverse import threads

threads.settle()  # before what follows loads torch

from inverse.web import build, launch  # noqa: E402

demo = build()

if __name__ == "__main__":
    launch(demo)
