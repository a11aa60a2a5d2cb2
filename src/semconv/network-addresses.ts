const ADDRESS = '[ip]';
const HOST = '[host]';

/** User, password, host and port of a URL; the user part may hold characters that a URL should not. */
const URL_AUTHORITY =
  /\b([a-z][a-z0-9+.-]{0,20}:\/\/)(?:[^\s"'<>@]{0,256}@){0,4}(?:\[[^\]\s]{0,64}\](?::\d{1,5})?|[^\s/?#"'<>@()[\],;]+)/gi;
const LOOKUP_FAILURE = /\b(ENOTFOUND|EAI_AGAIN)( +)[a-z0-9][\w.-]*/gi;
const IPV4 = /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?!\w|\.\d|-\d)/g;
const VERSION_BEFORE = /(?:\b(?:version|release|build|revision|ver|rev)\.?|==)["']?[\s:=]{0,3}$/i;
const BRACKETED_IPV6 = /\[([0-9a-f:.]{2,45})(?:%\w{1,20})?\](?::\d{1,5}(?!\w))?/gi;
const BARE_IPV6 =
  /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,8}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4})(?:%\w{1,20})?(?![\w:])/gi;

const isIpv4 = (address: string): boolean => address.split('.').every((part) => Number(part) <= 255);

/** An IPv6 address in full, or shortened with one `::`; the time `12:30:45` is not one. */
function isIpv6(address: string): boolean {
  const bare = address.replace(/%.*$/, '').replace(/(?:\d{1,3}\.){3}\d{1,3}$/, '0:0');
  const halves = bare.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length <= 7 : groups.length === 8;
}

/** `dead::beef` could be a name, so an address without brackets must contain a digit. */
const isUnambiguousIpv6 = (address: string): boolean => /\d/.test(address) && isIpv6(address);

/** Four numbers after a word such as `version` are not an address. */
const isAddressAt = (match: string, offset: number, whole: string): boolean =>
  isIpv4(match.replace(/:\d+$/, '')) && !VERSION_BEFORE.test(whole.slice(Math.max(0, offset - 20), offset));

/**
 * Hides network identities: IPv4 and IPv6 addresses with their ports, and the host, port, user and password of URLs. A
 * version such as `version 1.2.3.4` and a number after a colon such as `code:5000` stay.
 */
export function hideNetworkAddresses(text: string): string {
  return text
    .replace(URL_AUTHORITY, (_match, scheme: string) => `${scheme}${HOST}`)
    .replace(LOOKUP_FAILURE, (_match, code: string, space: string) => `${code}${space}${HOST}`)
    .replace(BRACKETED_IPV6, (match, address: string) => (isIpv6(address) ? ADDRESS : match))
    .replace(BARE_IPV6, (match) => (isUnambiguousIpv6(match) ? ADDRESS : match))
    .replace(IPV4, (match, offset: number, whole: string) =>
      isAddressAt(match, offset, whole) ? ADDRESS : match,
    );
}
