import { z } from 'zod';

/** `service_started`, or healthy by the check of the service itself. */
const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);

/** The part of the Compose schema that our file uses; an unknown key is an error. */
const service = z.strictObject({
  image: z.string(),
  build: z.string().optional(),
  profiles: z.array(z.string()).optional(),
  restart: z.literal('unless-stopped').optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  user: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  healthcheck: z
    .strictObject({
      test: z.array(z.string()).min(2),
      interval: z.string(),
      timeout: z.string(),
      retries: z.number(),
      start_period: z.string().optional(),
    })
    .optional(),
  stop_grace_period: z.string().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  mem_limit: z.string().optional(),
});

export const composeFile = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

export type ComposeFile = z.output<typeof composeFile>;

/** What a service mounts: a file or folder of the repository, or a named volume. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

export const mountsOf = ({ volumes = [] }: ComposeFile['services'][string]): readonly Mount[] =>
  volumes.map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, isReadOnly: mode === 'ro' };
  });
