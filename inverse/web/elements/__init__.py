"""Our own page elements: NAME.py makes the markup, NAME.js brings it to life, NAME.css is its look; kit.js they share.

They are functions that return a `gr.HTML`, and no classes: of a subclass, Gradio writes a .pyi beside its source when
it is imported.
"""
