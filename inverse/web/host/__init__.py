"""The server around Gradio: what it lets in, keeps and gives out."""
