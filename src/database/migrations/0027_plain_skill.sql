-- The skill of the network removes an unweighted mean error first, so a forecast with 5 K added keeps it. Beside it stands the
-- skill that the field means by the word, and for how much of the truth a row stands. Older rows keep null: nobody measured it.

alter table weather_forecast_component_scores
  add column plain_skill_score_gfs double precision,
  add column plain_skill_score_climatology double precision,
  add column coverage double precision;

comment on column weather_forecast_component_scores.plain_skill_score_gfs is
  'Skill against the GFS forecast with no mean error removed: 1 - mse(forecast) / mse(GFS), over the points that forecast, truth and GFS share. Null in rows of earlier versions.';
comment on column weather_forecast_component_scores.plain_skill_score_climatology is
  'The same against climatology.';
comment on column weather_forecast_component_scores.coverage is
  'Share of the points at which the truth has a value that the forecast has one at, 0 to 1, before gaps are filled. Null where the field could not be read, and in rows of earlier versions.';
comment on column weather_forecast_component_scores.skill_score_gfs is
  'Skill against the GFS forecast after the unweighted mean error is removed, over the points that forecast, truth and GFS share: a constant error costs nothing. plain_skill_score_gfs has it without the removal.';
comment on column weather_forecast_component_scores.skill_score_climatology is
  'Skill against climatology after the unweighted mean error is removed, over the points that all three share.';
