"""The judge: every solver on priors whose posterior is known exactly, so that its errors can be told apart."""

from inverse.evaluation.judge.cases import JUDGE_TASKS, Case, JudgeTask, case
from inverse.evaluation.judge.page import to_markdown
from inverse.evaluation.judge.rows import JUDGE_SETTINGS, JudgeRow, figures, judge, judge_solver

__all__ = [
    "JUDGE_SETTINGS", "JUDGE_TASKS", "Case", "JudgeRow", "JudgeTask", "case", "figures", "judge", "judge_solver",
    "to_markdown",
]  # fmt: skip
