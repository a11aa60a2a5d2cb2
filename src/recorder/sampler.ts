import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { CategorizedError } from '#semconv';

const ROOTS: Readonly<Record<string, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
};
const PARENT_BASED = 'parentbased_';

/**
 * The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name. It decides what is exported over OTLP,
 * never what is recorded: an explicit sampler keeps NodeSDK from reading these variables itself.
 *
 * @throws CategorizedError that names the variable, its value and what is allowed.
 */
export function createSampler(name: string, argument: string | null): Sampler {
  const ratio = argument === null ? 1 : Number(argument);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new CategorizedError(
      'validator_internal',
      `OTEL_TRACES_SAMPLER_ARG is "${argument ?? ''}"; allowed: a number from 0 to 1. Correct it or leave it out.`,
    );
  }
  const isParentBased = name.startsWith(PARENT_BASED);
  const create = ROOTS[isParentBased ? name.slice(PARENT_BASED.length) : name];
  if (create === undefined) {
    const allowed = Object.keys(ROOTS).flatMap((root) => [root, `${PARENT_BASED}${root}`]);
    throw new CategorizedError(
      'validator_internal',
      `OTEL_TRACES_SAMPLER is "${name}"; allowed: ${allowed.join(', ')}. Correct it or leave it out.`,
    );
  }
  return isParentBased ? new ParentBasedSampler({ root: create(ratio) }) : create(ratio);
}
