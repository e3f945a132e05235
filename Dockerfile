# One build of all services, and of it one small image for each: `docker build --build-arg SERVICE=orders .`
# docker-compose.yml builds them all; the build itself runs once, since every image shares its stage.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /freehold
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/freehold/target \
    cargo build --release --locked --workspace --bins --features nats \
    && mkdir -p /out/bin /out/data \
    && find target/release -maxdepth 1 -type f -executable -exec cp -t /out/bin {} +

# The C library, certificates and a user without rights; no shell. The tag is of Debian 12, as the build's.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG SERVICE
COPY --from=build /out/bin/${SERVICE} /service
# A new volume takes its owner from here: the service runs as `nonroot`.
COPY --from=build --chown=nonroot:nonroot /out/data /data
WORKDIR /data
ENTRYPOINT ["/service"]
