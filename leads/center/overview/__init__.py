"""The overview of an ad account (with spend) and of a lead library (counts only). Numbers, never a lead."""

from leads.center.overview.asking import GROUPS, PERIODS, Asked, faults_of, read_asked, read_exactly
from leads.center.overview.page import Overview, account_overview, library_overview

__all__ = [
    "GROUPS",
    "PERIODS",
    "Asked",
    "Overview",
    "account_overview",
    "faults_of",
    "library_overview",
    "read_asked",
    "read_exactly",
]
