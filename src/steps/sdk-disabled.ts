/** Whether `OTEL_SDK_DISABLED` is `true`; read once, when the module is loaded. A step is then the bare function. */
export const IS_SDK_DISABLED = process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true';
