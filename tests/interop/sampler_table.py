#!/usr/bin/env python3
"""Prints alphaswarm/observability/api/sampler_table_test.inc: what opentelemetry-sdk decides.

usage: sampler_table.py >…/sampler_table_test.inc   (with opentelemetry-sdk of requirements.txt)
"""
import random

from opentelemetry.sdk.trace._sampling_experimental import composable_traceid_ratio_based, composite_sampler
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace.span import TraceState

random.seed(20260101)
STATES = [None, None, "a=1", "ot=th:8", "a=1,ot=rv:{rv};th:4", "ot=rv:{rv}", "ot=x:y;th:0,b=2", "ot=rv:12"]

for ratio in (1e-9, 0.001, 0.01, 1 / 3, 0.5, 0.9, 0.999, 1.0):
    for index in range(24):
        trace = random.getrandbits(128)
        threshold = 2**56 - round(ratio * 2**56)
        if index % 3 == 0:  # close to the threshold
            trace = (trace >> 56 << 56) + min(2**56 - 1, max(0, threshold + random.randint(-1, 1)))
        state = STATES[index % len(STATES)]
        if state is not None:
            state = state.format(rv=f"{random.getrandbits(56):014x}")
        given = TraceState([tuple(m.split("=", 1)) for m in state.split(",")]) if state else None
        sampler = composite_sampler(composable_traceid_ratio_based(ratio))
        result = sampler.should_sample(None, trace, "name", trace_state=given)
        written = result.trace_state.to_header() if result.trace_state else ""
        older = TraceIdRatioBased(ratio).should_sample(None, trace, "name").decision.is_sampled()
        shown = f'"{state}"' if state else "nullptr"
        print(f'    {{{ratio!r}, "{trace:032x}", {shown},\n'
              f'     "{int(result.decision.is_sampled())} {written}", {str(older).lower()}}},')
