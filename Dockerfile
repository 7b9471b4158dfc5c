# Builds with BuildKit and with the legacy builder (DOCKER_BUILDKIT=0) alike, for the machine's own architecture.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

# What decides the packages, alone: a change of the source takes this stage as it is.
FROM ${SDK_IMAGE} AS restore
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
WORKDIR /src
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY Contracts/Contracts.csproj Contracts/packages.lock.json Contracts/
COPY Grains/Grains.csproj Grains/packages.lock.json Grains/
COPY Silo/Silo.csproj Silo/packages.lock.json Silo/
RUN dotnet restore Silo --locked-mode -p:ForImage=true

FROM restore AS build
COPY . .
ARG VERSION=0.1.0
ARG READY_TO_RUN=true
# The final stage has no shell to make a folder with. Everyone may write to this one, so that any --user can; the
# legacy builder keeps a folder's mode only where it copies the one around it.
RUN dotnet publish Silo --no-restore -c Release -o /image/app -p:ForImage=true -p:PublishReadyToRun=${READY_TO_RUN} \
      -p:DebugType=none -p:Version=${VERSION} \
 && mkdir -p /image/root && mkdir -m 1777 /image/root/data

# Later builds of SQLite ask for glibc 2.34; Debian 11 has 2.31 (github.com/ericsink/SQLitePCL.raw/issues/674).
ARG RUNTIME_IMAGE
RUN case "$RUNTIME_IMAGE" in *debian11*) \
      cp /root/.nuget/packages/sqlitepclraw.lib.e_sqlite3/2.1.11/runtimes/linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')/native/*.so /image/app/ ;; \
    esac

FROM ${RUNTIME_IMAGE}
COPY --from=build --chown=0:0 /image/app /app
COPY --from=build --chown=65532:65532 /image/root/ /

# The defaults, as app -help has them. The database has the last of its variable's names: any of the others beats it.
ENV APP_PORT=9000 \
    APP_HOST=0.0.0.0 \
    DB_URL=sqlite:/data/tally.db \
    APP_CLUSTER_ID=tally \
    APP_SERVICE_ID=tally \
    APP_SILO_PORT=0 \
    APP_GATEWAY_PORT=0 \
    APP_ADVERTISE=auto \
    APP_SILO_TLS_CERTIFICATE=none \
    APP_SILO_TLS_KEY=none \
    APP_SILO_TLS_CA=none \
    APP_LOG_FORMAT=text \
    APP_WRITE_KEYS=none \
    APP_READ_KEYS=none \
    APP_ERASE_KEYS=none \
    APP_RULE_KEYS=none \
    APP_TRUSTED_PROXIES=none \
    APP_WEBHOOK_NETWORKS=none \
    APP_BOTS=count \
    APP_TRACKERS=all \
    APP_CORS_ORIGINS=none \
    APP_FRAME_ANCESTORS=none \
    APP_FINGERPRINTS=client \
    APP_TIME_ZONE=UTC \
    APP_DIMENSIONS=default \
    APP_DERIVE=none \
    APP_GEO_DATABASE=none \
    APP_RETENTION=none \
    APP_FORGET_AFTER=none
# No files beside /data: no diagnostics socket in /tmp, SQLite's own temporary files in the volume.
ENV DOTNET_EnableDiagnostics=0 \
    SQLITE_TMPDIR=/data

USER 65532:65532
WORKDIR /app
EXPOSE 9000
HEALTHCHECK --interval=5s --timeout=15s --start-period=120s --retries=3 CMD ["/app/app", "health"]
ENTRYPOINT ["/app/app"]

# Last, so that they cost no layer.
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=
ARG SOURCE=
LABEL org.opencontainers.image.title="Tally" \
      org.opencontainers.image.description="An event collector that counts every event exactly once" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
