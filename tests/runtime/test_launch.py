"""What environment variables say of how this process was started."""

from __future__ import annotations

from equipoise.runtime import launch


def test_one_process_is_no_rank_and_torchruns_variables_make_one() -> None:
    assert (launch.world_size({}), launch.rank({})) == (1, 0)
    one = {"RANK": "0", "WORLD_SIZE": "1"}
    assert (launch.world_size(one), launch.rank(one)) == (1, 0)
    two = {"RANK": "1", "WORLD_SIZE": "2"}
    assert (launch.world_size(two), launch.rank(two)) == (2, 1)
    assert not launch.is_started_by_us(two)
    assert not launch.was_restarted({"TORCHELASTIC_RESTART_COUNT": "0"})
    assert launch.was_restarted({"TORCHELASTIC_RESTART_COUNT": "1"})
