"""Workers as Ray actors on two nodes, of which one dies."""

import pytest

from prover.cluster.errors import ClusterError
from prover.cluster.events import EventKind
from prover.cluster.ray_fleet import import_ray
from prover.prove import Stage
from tests.support.cluster_jobs import Watch, inline_proof, is_running, wait_until
from tests.support.ray_clusters import RAY_MARKS, ray_executor

pytestmark = RAY_MARKS


def test_a_cluster_that_is_not_there_is_told_of_at_once(tmp_path):
    for address in ("127.0.0.1:1", "auto"):
        executor = ray_executor(tmp_path, Watch(), address)
        with pytest.raises(ClusterError, match=f"^Ray cluster {address}: expected a connection"):
            executor.__enter__()


def test_a_node_dies_and_the_other_one_finishes(quick_job, tmp_path):
    # Sets the environment that all nodes must share, before Ray reads it.
    import_ray(is_local=True)
    from ray.cluster_utils import Cluster

    cluster, watch = Cluster(), Watch()

    def kill_node():
        """The node's own processes, upon which its workers end by themselves."""
        cluster.remove_node(second, allow_graceful=False)
        assert wait_until(lambda: not all(map(is_running, watch.process_ids().values())))

    try:
        cluster.add_node(num_cpus=1, include_dashboard=False)
        second = cluster.add_node(num_cpus=1)
        watch.strike_in(Stage.SUMCHECK, kill_node)
        with ray_executor(tmp_path, watch, cluster.address) as executor:
            assert executor.prove(quick_job, watch.stages.append) == inline_proof(quick_job)
        assert len(watch.details(EventKind.JOINED)) == 2
        assert len(watch.details(EventKind.LOST)) == 1
    finally:
        cluster.shutdown()
