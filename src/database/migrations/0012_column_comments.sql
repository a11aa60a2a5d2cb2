-- Comments only: they say what the columns hold. No table is rewritten and no row changes.

comment on column weather_forecast_steps.error_json is
  'The failure: category (type), class, code, message, trimmed stack, chain of causes, fingerprint, retryable and HTTP status (http_status). The code is that of the first link of the chain that has one; rows of earlier versions have the code of the outermost error only, and no http_status.';
