FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Neither the tools of development nor an embedded PostgreSQL come into the image: it is given a database.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY exporters exporters
RUN node scripts/build.mjs && npm prune --ignore-scripts --omit=dev --omit=optional

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
    BAROGRAPH_DATA_DIR=/var/lib/barograph \
    BAROGRAPH_METRICS_HOST=0.0.0.0
# The spool: records that have not reached the database. A volume takes over the owner.
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/barograph
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
VOLUME /var/lib/barograph
EXPOSE 9464 4317 4318
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# SIGTERM ends it in good order; node as process 1 hears it, for it listens.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/src/cli.js"]
CMD ["record"]
