# docker build --target api|worker|paper|all-in-one .
# The steps are in tools/image_build.sh, which the tests run without Docker.
FROM debian:12.8-slim AS build
WORKDIR /src
COPY tools tools
RUN tools/image_build.sh packages
COPY . .
RUN tools/image_build.sh compile && tools/image_build.sh stage /stage

# The binary with just the libraries it loads.
FROM debian:12.8-slim AS base
COPY --from=build /stage/usr/ /usr/
COPY --from=build /stage/lib/ /usr/lib/
COPY --from=build /stage/etc/ /etc/
RUN useradd --system --uid 10001 --create-home --home-dir /data alphaswarm
USER 10001:10001
WORKDIR /data
ENV ALPHASWARM_DATA_DIR=/data
ENTRYPOINT ["alphaswarm"]
STOPSIGNAL SIGTERM

FROM base AS api
ENV ALPHASWARM_API_ADDRESS=0.0.0.0:8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["alphaswarm", "doctor", "--reach", "http://127.0.0.1:8000/health/ready"]
CMD ["api"]

# A worker has no port: it is well while it runs and its queue answers.
FROM base AS worker
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["sh", "-c", "alphaswarm doctor --reach \"$ALPHASWARM_REDIS_URL\""]
CMD ["worker", "--queues", "default,backtest,ingestion"]

FROM base AS paper
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["sh", "-c", "alphaswarm doctor --reach \"$ALPHASWARM_REDIS_URL\""]
CMD ["worker", "--queues", "paper"]

# Also the simulated exchange and the embedded collector, by another command.
FROM base AS all-in-one
ENV ALPHASWARM_API_ADDRESS=0.0.0.0:8000 ALPHASWARM_EXCHANGE_ADDRESS=0.0.0.0:8100 ALPHASWARM_COLLECTOR_HOST=0.0.0.0
EXPOSE 4317 4318 8000 8100 8888 8889 16686
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["alphaswarm", "doctor", "--reach", "http://127.0.0.1:16686/api/services"]
CMD ["up", "--no-demo"]
