export * from './attributes.ts';
export * from './dead-letters.ts';
export * from './error-categories.ts';
export * from './log-tables.ts';
export * from './numbered-names.ts';
export * from './scrub.ts';
export * from './vocabulary.ts';
export type { AttributeDefinition, Cardinality } from './attribute-definition.ts';
export { JSON_TYPE, KIND_OF_SCHEMA } from './attribute-definition.ts';
