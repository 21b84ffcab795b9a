/** What somebody else wrote, and names: text always, never markup. */
import { readableDomain, visible, webAddress } from '../words.ts'

/** Text of a sender. `absent` stands for what he did not say. */
export function Said({ text, absent = '–' }: { text: string | null | undefined; absent?: string }) {
  if (text === null || text === undefined) return <span class="quiet">{absent}</span>
  return <bdi class="said">{visible(text)}</bdi>
}

/** additional-information should be a URI (RFC 8460 §4.4): a link where it leads to the web, else text. */
export function SaidLink({ text }: { text: string | null }) {
  const address = text === null ? undefined : webAddress(text)
  if (address === undefined) return <Said text={text} />
  return (
    <a href={address} target="_blank" rel="noreferrer noopener external">
      <Said text={text} />
    </a>
  )
}

/** A domain as people read it; the A-label is its tooltip where they differ. */
export function Domain({ name }: { name: string }) {
  const readable = readableDomain(name)
  if (readable === name) return <bdi class="name">{visible(name)}</bdi>
  return (
    <bdi class="name" title={name}>
      {visible(readable)} <small class="quiet">({visible(name)})</small>
    </bdi>
  )
}
