"""The papers that the solvers are from, and how to cite them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A publication.

    Attributes:
        key: by which BibTeX calls it.
        authors: given name first.
        venue: of the proceedings; empty for a preprint.
        url: its address, which is `Solver.paper`.
    """

    key: str
    title: str
    authors: tuple[str, ...]
    venue: str
    year: int
    url: str

    @property
    def bibtex(self) -> str:
        """An entry for a bibliography; braces keep the capitals of its title."""
        fields = {
            "title": f"{{{self.title}}}",
            "author": " and ".join(self.authors),
            "booktitle" if self.venue else "howpublished": self.venue or "Preprint",
            "year": str(self.year),
            "url": self.url,
        }
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
        return f"@{'inproceedings' if self.venue else 'misc'}{{{self.key},\n{lines}\n}}"


_ICLR = "International Conference on Learning Representations"
_NEURIPS = "Advances in Neural Information Processing Systems"

PAPERS = {
    paper.url: paper
    for paper in (
        Paper(
            "xu2025rethinking",
            "Rethinking Diffusion Posterior Sampling: From Conditional Score Estimator to Maximizing a Posterior",
            ("Tongda Xu", "Xiyan Cai", "Xinjie Zhang", "Xingtong Ge", "Dailan He", "Ming Sun", "Jingjing Liu",
             "Ya-Qin Zhang", "Jian Li", "Yan Wang"),
            _ICLR, 2025, "https://arxiv.org/abs/2501.18913",
        ),
        Paper(
            "gutha2025modeseeking",
            "Inverse problems with diffusion models: MAP estimation via mode-seeking loss",
            ("Sai Bharath Chandra Gutha", "Ricardo Vinuesa", "Hossein Azizpour"),
            "", 2025, "https://arxiv.org/abs/2512.10524",
        ),
        Paper(
            "chung2023dps", "Diffusion Posterior Sampling for General Noisy Inverse Problems",
            ("Hyungjin Chung", "Jeongsol Kim", "Michael T. Mccann", "Marc L. Klasky", "Jong Chul Ye"),
            _ICLR, 2023, "https://arxiv.org/abs/2209.14687",
        ),
        Paper(
            "yang2024dsg", "Guidance with Spherical Gaussian Constraint for Conditional Diffusion",
            ("Lingxiao Yang", "Shutong Ding", "Yifan Cai", "Jingyi Yu", "Jingya Wang", "Ye Shi"),
            "International Conference on Machine Learning", 2024, "https://arxiv.org/abs/2402.03201",
        ),
        Paper(
            "zhang2025daps", "Improving Diffusion Inverse Problem Solving with Decoupled Noise Annealing",
            ("Bingliang Zhang", "Wenda Chu", "Julius Berner", "Chenlin Meng", "Anima Anandkumar", "Yang Song"),
            "Conference on Computer Vision and Pattern Recognition", 2025, "https://arxiv.org/abs/2407.01521",
        ),
        Paper(
            "zhu2023diffpir", "Denoising Diffusion Models for Plug-and-Play Image Restoration",
            ("Yuanzhi Zhu", "Kai Zhang", "Jingyun Liang", "Jiezhang Cao", "Bihan Wen", "Radu Timofte", "Luc Van Gool"),
            "Conference on Computer Vision and Pattern Recognition Workshops", 2023, "https://arxiv.org/abs/2305.08995",
        ),
        Paper(
            "kawar2022ddrm", "Denoising Diffusion Restoration Models",
            ("Bahjat Kawar", "Michael Elad", "Stefano Ermon", "Jiaming Song"),
            _NEURIPS, 2022, "https://arxiv.org/abs/2201.11793",
        ),
        Paper(
            "wang2023ddnm", "Zero-Shot Image Restoration Using Denoising Diffusion Null-Space Model",
            ("Yinhuai Wang", "Jiwen Yu", "Jian Zhang"), _ICLR, 2023, "https://arxiv.org/abs/2212.00490",
        ),
        Paper(
            "song2023pigdm", "Pseudoinverse-Guided Diffusion Models for Inverse Problems",
            ("Jiaming Song", "Arash Vahdat", "Morteza Mardani", "Jan Kautz"),
            _ICLR, 2023, "https://openreview.net/forum?id=9_gsMA8MRKQ",
        ),
        Paper(
            "mardani2024reddiff", "A Variational Perspective on Solving Inverse Problems with Diffusion Models",
            ("Morteza Mardani", "Jiaming Song", "Jan Kautz", "Arash Vahdat"),
            _ICLR, 2024, "https://arxiv.org/abs/2305.04391",
        ),
        Paper(
            "shrestha2026acdc", "Taming Score-Based Denoisers in ADMM: A Convergent Plug-and-Play Framework",
            ("Rajesh Shrestha", "Xiao Fu"), "", 2026, "https://arxiv.org/abs/2603.10281",
        ),
    )
}  # fmt: skip
"""By address."""
