# syntax=docker/dockerfile:1
FROM rust:1-slim-bookworm AS build
# librdkafka's configure needs make and a C++ compiler, OpenSSL's needs perl; gcc comes with the image.
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ make perl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The caches outlive the build but are no part of the image, so the binary is copied out in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin kafka-rest-proxy \
    && strip -o /kafka-rest-proxy target/release/kafka-rest-proxy

# What the binary needs at run time is in here: glibc and libgcc_s.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /kafka-rest-proxy /usr/local/bin/kafka-rest-proxy
ENV KAFKA_REST_SERVER__LISTEN=0.0.0.0:8082
EXPOSE 8082
HEALTHCHECK --interval=10s --timeout=5s CMD ["/usr/local/bin/kafka-rest-proxy", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/kafka-rest-proxy"]
