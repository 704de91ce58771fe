"""Errors of the clusters package.

ClusterError
├── FitFailed        no clusters could be found in this machine
├── NoClusters       there are no clusters in this workspace yet
└── WrongLabelChange    a change by hand names something that does not exist
"""

from __future__ import annotations


class ClusterError(Exception):
    """Base of everything this package raises on purpose."""


class FitFailed(ClusterError):
    """Raised when the fitting process fails, or is killed."""


class NoClusters(ClusterError):
    """Raised when a workspace has no clusters yet, or the clusters cannot be read."""


class WrongLabelChange(ClusterError):
    """Raised when a rename, move, merge, split or lock names something that does not exist."""
