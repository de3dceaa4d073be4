#pragma once

// The compile-time switch of tracing, and the only macros of the SDK. Built with
// -DALPHASWARM_OTEL=OFF (which defines ALPHASWARM_OTEL=0) every call below is an empty inline
// function. The inline namespace differs between the two, so that objects compiled with and
// without tracing do not link together by accident.

#ifndef ALPHASWARM_OTEL
#define ALPHASWARM_OTEL 1
#endif

#if ALPHASWARM_OTEL
#define ALPHASWARM_OTEL_NAMESPACE tracing_on
#else
#define ALPHASWARM_OTEL_NAMESPACE tracing_off
#endif
