-- Books over a loss stay open: who closes them cannot know what the database never got.

comment on column emitters.closed_at is
  'When the process, or who took over its spool, delivered its last record; null before, and as long as a record is missing or may be.';
comment on column emitter_books.closed_at is
  'When the process, or who took over its spool, delivered its last record; null before, and as long as a record is missing or may be.';
comment on column emitter_books.missing is
  'Numbers of records that left the process and never came: lost, or set aside because they cannot be read. Empty is right.';
