# SPDX-License-Identifier: Apache-2.0
"""All scenarios, in the order in which they run: the short ones last, so that lanes end together."""

import scenario_abuse
import scenario_crash
import scenario_bad_messages
import scenario_cluster
import scenario_group
import scenario_growth
import scenario_http
import scenario_long
import scenario_metrics
import scenario_monitoring
import scenario_page
import scenario_plain
import scenario_policy
import scenario_privacy
import scenario_redis
import scenario_refusals
import scenario_service
import scenario_stream
import scenario_swap
import scenario_timers

_MODULES = (scenario_plain, scenario_group, scenario_abuse, scenario_long, scenario_stream, scenario_timers,
            scenario_privacy, scenario_service, scenario_growth, scenario_crash, scenario_redis, scenario_cluster,
            scenario_swap, scenario_policy, scenario_http, scenario_page, scenario_metrics, scenario_monitoring,
            scenario_refusals, scenario_bad_messages)


def _scenarios():
    for module in _MODULES:
        for name, thing in vars(module).items():
            if callable(thing) and getattr(thing, "__module__", "") == module.__name__ and name[0] != "_":
                yield name, thing


SCENARIOS = list(_scenarios())
