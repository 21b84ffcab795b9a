/** PNG (ISO/IEC 15948): a screenshot anew in 256 colours, which is a third of its size and looks the same. */
import { crc32, deflateSync, inflateSync } from 'node:zlib'

type Pixels = { width: number; height: number; /** 0xRRGGBB, row by row. */ colours: Uint32Array }

/** `png` has eight bits a channel, RGB or RGBA, and is opaque: as browsers make them. The rarest colours go to the nearest. */
export const inPalette = (png: Buffer): Buffer => encode(decode(png))

const signature = Buffer.from('89504e470d0a1a0a', 'hex')
const paletteSize = 256

function decode(png: Buffer): Pixels {
  const chunks = [...chunksOf(png)]
  const header = chunks.find(({ type }) => type === 'IHDR')!.data
  const [width, height, depth, kind] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8], header[9]]
  if (depth !== 8 || (kind !== 2 && kind !== 6)) throw new Error(`a PNG of depth ${depth} and colour type ${kind}`)
  const step = kind === 6 ? 4 : 3
  const bytes = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)))
  const colours = new Uint32Array(width * height)
  let above = new Uint8Array(width * step)
  for (let y = 0; y < height; y++) {
    const start = y * (width * step + 1)
    const row = unfiltered(bytes[start]!, bytes.subarray(start + 1, start + 1 + width * step), above, step)
    for (let x = 0; x < width; x++) {
      const at = x * step
      colours[y * width + x] = (row[at]! << 16) | (row[at + 1]! << 8) | row[at + 2]!
    }
    above = row
  }
  return { width, height, colours }
}

function* chunksOf(png: Buffer): Generator<{ type: string; data: Buffer }> {
  for (let at = signature.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const length = png.readUInt32BE(at)
    yield { type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) }
  }
}

/** §9: each byte is told by what stands left of it, above, and above that on the left. */
function unfiltered(filter: number, told: Uint8Array, above: Uint8Array, step: number): Uint8Array<ArrayBuffer> {
  const row = new Uint8Array(told.length)
  for (let i = 0; i < told.length; i++) {
    const left = row[i - step] ?? 0
    const up = above[i]!
    const corner = above[i - step] ?? 0
    row[i] = told[i]! + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!
  }
  return row
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  if (a <= b && a <= c) return left
  return b <= c ? up : corner
}

function encode({ width, height, colours }: Pixels): Buffer {
  const palette = frequent(colours)
  const places = new Map(palette.map((colour, place) => [colour, place]))
  const rows = Buffer.alloc(height * (width + 1)) // Each begins with filter 0, which is best for palettes (§12.7).
  for (let i = 0; i < colours.length; i++) {
    const colour = colours[i]!
    const place = places.get(colour) ?? nearest(colour, palette)
    places.set(colour, place)
    rows[i + Math.floor(i / width) + 1] = place
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3], 8)
  const channels = palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255])
  const chunks = [chunk('IHDR', header), chunk('PLTE', Buffer.from(channels)), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))] // prettier-ignore
  return Buffer.concat([signature, ...chunks])
}

function frequent(colours: Uint32Array): number[] {
  const counts = new Map<number, number>()
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, paletteSize).map(([colour]) => colour) // prettier-ignore
}

function nearest(colour: number, palette: readonly number[]): number {
  const distance = (other: number) =>
    [16, 8, 0].reduce((sum, shift) => sum + (((colour >> shift) & 255) - ((other >> shift) & 255)) ** 2, 0)
  return palette.reduce((best, other, i) => (distance(other) < distance(palette[best]!) ? i : best), 0)
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(named), 4)
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)])
}
