const HIDDEN = '[path]';

/** An absolute path, from `/` or `~/`; a relative one reveals nothing about the machine. */
const POSIX_PATH = /(?<![\p{L}\p{N}_./~\\-])~?(?:\/+[^\s/\\"'`<>()[\]{}:;,|=?&#*!$]+)+/gu;
const FILE_URL = /\bfile:\/\/((?:\/+[^\s/\\"'`<>()[\]{}:;,|=?&#*!$]+)+)/gi;
const WINDOWS_PATH =
  /(?<![\p{L}\p{N}_])[a-z]:\\(?:[^\s\\/"'`<>()[\]{}:;,|=?&#*!$]+\\)*([^\s\\/"'`<>()[\]{}:;,|=?&#*!$]+)/giu;

/** Parts of a path that reveal where a secret is stored; such a path is hidden as a whole. */
const SECRET_PART =
  /(?:^|[/\\])(?:\.env(?:\.[^/\\]*)?|\.bittensor|wallets?|hotkeys?|coldkeys?|keystores?|keypairs?|secrets?|credentials?(?:\.[^/\\]*)?|\.ssh|\.aws|\.cdsapirc|\.netrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519)(?:\.[^/\\]*)?|[^/\\]*\.(?:pem|key|p12|pfx|jks))(?:[/\\]|$)/i;

const shorten = (path: string): string => {
  if (SECRET_PART.test(path)) return HIDDEN;
  return path.replace(/^.*[/\\]/, '/');
};

/**
 * Cuts absolute file paths to `/` and their last part, and hides a path altogether when it leads to keys, wallets,
 * credentials or an environment file.
 */
export function hideFilePaths(text: string): string {
  return text
    .replace(FILE_URL, (_match, path: string) => shorten(path))
    .replace(WINDOWS_PATH, shorten)
    .replace(POSIX_PATH, shorten);
}
