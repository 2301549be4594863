"""Lookups in tooz's hash ring, timed here so that pipes and start-up do not count.

The first line of the input is JSON: hosts, partitions and keys; the answer is the owner of each key.
Each further line is a number of rounds; the answer is the nanoseconds that so many rounds took.
"""

import json
import sys
import time

from tooz import hashring


def main():
    setup = json.loads(sys.stdin.readline())
    ring = hashring.HashRing(setup["hosts"], partitions=setup["partitions"])
    # Bytes, and a set of one host as the answer: how ironic asks.
    keys = [key.encode("utf-8") for key in setup["keys"]]
    print(json.dumps([next(iter(ring.get_nodes(key, replicas=1))) for key in keys]), flush=True)
    for line in sys.stdin:
        rounds = int(line)
        began = time.perf_counter_ns()
        for _ in range(rounds):
            for key in keys:
                ring.get_nodes(key, replicas=1)
        print(time.perf_counter_ns() - began, flush=True)


main()
