# syntax=docker/dockerfile:1
# The image of Equipment Status Board: one program on a base without a shell.
#
#   docker build -t esb .
#
# ESB_UID and ESB_GID are the owner of the data directory and the uploads inside the image. A container may run as
# any other user, too (compose.yaml: ESB_UID, ESB_GID in .env).

FROM rust:1.95-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build

# Dependencies, with empty crates in place of ours: this layer stays until a Cargo.toml or Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
COPY migration/Cargo.toml migration/
COPY sandbox/Cargo.toml sandbox/
COPY bench/Cargo.toml bench/
RUN mkdir -p src migration/src sandbox/src bench/src \
    && touch src/lib.rs migration/src/lib.rs sandbox/src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cp src/main.rs bench/src/main.rs \
    && cargo build --release --locked --package esb

# The program contains blocks, templates and assets.
COPY blocks blocks
COPY templates templates
COPY assets assets
COPY manifest.yaml ./
COPY migration migration
COPY sandbox sandbox
COPY bench bench
COPY src src
# Files keep the times of the checkout, which may be older than the empty crates.
RUN find src migration sandbox -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --package esb

# Its alias `flask` is for people who follow the guide of the Python system.
ARG ESB_UID=1000
ARG ESB_GID=1000
RUN mkdir -p /image/usr/local/bin /image/app/data /image/app/uploads \
    && install target/release/esb /image/usr/local/bin/esb \
    && ln -s esb /image/usr/local/bin/flask \
    && chmod 0777 /image/app/data /image/app/uploads \
    && chown -R "$ESB_UID:$ESB_GID" /image/app

# glibc, CA certificates and time zones; neither a shell nor a package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG ESB_UID=1000
ARG ESB_GID=1000
COPY --from=build /image /
WORKDIR /app
ENV ESB_DATA_DIR=/app/data \
    UPLOAD_PATH=/app/uploads \
    LOG_FORMAT=json
USER $ESB_UID:$ESB_GID
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["esb", "healthcheck"]
ENTRYPOINT []
CMD ["esb", "serve"]
