"""The tabs beside Restore, in their order."""

from __future__ import annotations

from inverse.web.page.comparing import CompareTab
from inverse.web.page.finding import FindingsTab
from inverse.web.page.sweeping import SweepTab
from inverse.web.page.tab import Tab

TABS: tuple[type[Tab], ...] = (SweepTab, CompareTab, FindingsTab)
