export default function setup(): void {
  // One PostgreSQL server for the whole run; see test/support/postgres.ts.
}
