import { inject } from 'vitest';

/** Where the processes of this run keep their records; it goes when the run ends. */
export const testDataDirectory = (): string => inject('dataDirectory');
