export * from './attributes.ts';
export * from './error-categories.ts';
export * from './numbered-names.ts';
export * from './scrub.ts';
export * from './vocabulary.ts';
export type { AttributeDefinition, Cardinality } from './attribute-definition.ts';
export { JSON_TYPE } from './attribute-definition.ts';
