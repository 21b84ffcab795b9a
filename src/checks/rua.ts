/** RFC 8460 §3: which addresses in `rua` are this instance's. */

/** Letter case of names does not matter; behind our https address, a token may follow. */
export function isOwnRua(uri: string, own: readonly string[]): boolean {
  return own.some((ours) => {
    if (/^mailto:/i.test(ours)) return uri.replace(/\?.*$/s, '').toLowerCase() === ours.toLowerCase()
    const [theirs, base] = [normalizeUrl(uri), normalizeUrl(ours)]
    return theirs !== undefined && base !== undefined && (theirs === base || theirs.startsWith(`${base}/`))
  })
}

/** The place of the first address of this instance, from 0; undefined when there is none. */
export function placeOfOwn(rua: readonly string[], own: readonly string[]): number | undefined {
  const place = rua.findIndex((uri) => isOwnRua(uri, own))
  return place === -1 ? undefined : place
}

/** The mail domain of a `mailto:`; undefined for anything else. */
export const mailDomainOf = (uri: string): string | undefined => /^mailto:[^@?]+@([^?]+)/i.exec(uri)?.[1]?.toLowerCase()

const normalizeUrl = (uri: string): string | undefined =>
  URL.canParse(uri) ? new URL(uri).href.replace(/\/$/, '') : undefined

/** Whether a check may go there: it calls nothing but port 25 and port 443. */
export const isOnUsualPort = (uri: string): boolean =>
  mailDomainOf(uri) !== undefined || (URL.canParse(uri) && new URL(uri).port === '')
