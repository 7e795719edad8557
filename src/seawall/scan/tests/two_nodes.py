"""A Ray cluster of two nodes, in a process of its own: Ray leaves open files behind, which would fail other tests.

It prints its address, then the number of each node's raylet (the process whose children are the node's workers). A line
"kill" on its input ends the second node as a power cut does; "add" adds one, and prints its raylet.
"""

import sys
from typing import Any

from ray.cluster_utils import Cluster

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 << 20}
# A node that is killed is missed within seconds, where a real cluster allows for slow networks.
QUICK = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000, "health_check_failure_threshold": 5}


def tell(node: Any) -> None:
    (raylet,) = node.all_processes["raylet"]
    sys.stdout.write(f"{raylet.process.pid}\n")
    sys.stdout.flush()


cluster: Any = Cluster(
    initialize_head=True, head_node_args={**NODE, "include_dashboard": False, "_system_config": QUICK}
)
try:
    sys.stdout.write(f"{cluster.address}\n")
    tell(cluster.head_node)
    second = cluster.add_node(**NODE)
    tell(second)
    for line in sys.stdin:
        if line.strip() == "kill":
            cluster.remove_node(second, allow_graceful=False)
        else:
            second = cluster.add_node(**NODE)
            tell(second)
finally:
    cluster.shutdown()
