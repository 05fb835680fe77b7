"""Metrics that may be taken for one another: of one kind, with a word in common."""

from __future__ import annotations

from verifier.mutation.equivalence import exported_names
from verifier.mutation.siblings import SIBLINGS_MAX, Siblings

NAMES = ["app_jobs_done_total", "app_jobs_failed_total", "app_jobs_done_seconds_bucket",
         "app_hits_total", "app_queue", "app_free", "app_used"]  # fmt: skip


def test_the_nearest_of_the_same_kind_come_first_and_no_stranger():
    """A counter for a counter; the prefix that all share is nothing in common."""
    siblings = Siblings(NAMES)
    assert siblings("app_jobs_done_total") == ["app_jobs_failed_total"]
    assert siblings("app_hits_total") == []
    assert siblings("app_queue") == []
    assert siblings("other_jobs_total") == ["app_jobs_done_total", "app_jobs_failed_total"]


def test_what_arrived_may_be_taken_for_what_was_processed():
    """Among the metrics of the world, at most so many for each."""
    siblings = Siblings(exported_names())
    assert siblings("agentaskit_tasks_processed_total")[0] == "agentaskit_tasks_arrived_total"
    assert max(len(siblings(name)) for name in exported_names()) == SIBLINGS_MAX


def test_a_word_that_most_names_share_counts_for_nothing_on_either_side():
    """Half of three words and two of four are as near: the first by name comes first."""
    names = ["app_m", "app_n", "app_o", "app_p", "app_x_y", "app_a_x", "app_b_x_y_z_w"]
    assert Siblings(names)("app_a_x") == ["app_x_y", "app_b_x_y_z_w"]
    assert Siblings(["app_m", "app_n", "app_o", "app_p", "app_b_c", "app_b", "app_c_b_d_e"])(
        "app_b_c"
    ) == ["app_b", "app_c_b_d_e"]
