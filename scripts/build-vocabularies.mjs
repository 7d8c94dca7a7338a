/**
 * Writes vocabularies/*.bin from the rank files that js-tiktoken publishes: `npm run build:vocabularies`.
 *
 * Layout, little-endian: `GLBP`, version (u32), ranks (u32), bytes of all tokens (u32), FNV-1a of what follows (u32),
 * then one length (u8) a rank (0 where a rank is unused), then the tokens' bytes in order of rank.
 */
import { mkdirSync, writeFileSync } from 'node:fs'

const names = ['o200k_base', 'cl100k_base', 'p50k_base', 'r50k_base']
const folder = new URL('../vocabularies/', import.meta.url)
mkdirSync(folder, { recursive: true })

for (const name of names) {
  const { default: published } = await import(`js-tiktoken/ranks/${name}`)
  const tokens = []
  for (const line of published.bpe_ranks.split('\n').filter(Boolean)) {
    const [, first, ...encoded] = line.split(' ')
    encoded.forEach((token, index) => {
      tokens[Number(first) + index] = Buffer.from(token, 'base64')
    })
  }
  const lengths = Uint8Array.from(tokens, (token) => token?.length ?? 0)
  if (tokens.some((token) => token && (token.length === 0 || token.length > 255))) {
    throw new Error(`${name}: a token's length does not fit in one byte`)
  }
  const body = Buffer.concat([lengths, ...tokens.filter(Boolean)])
  const header = Buffer.alloc(20)
  header.write('GLBP', 'latin1')
  header.writeUInt32LE(1, 4)
  header.writeUInt32LE(lengths.length, 8)
  header.writeUInt32LE(body.length - lengths.length, 12)
  header.writeUInt32LE(fnv1a(body), 16)
  writeFileSync(new URL(`${name}.bin`, folder), Buffer.concat([header, body]))
  console.log(`${name}: ${lengths.length} ranks, ${header.length + body.length} bytes`)
}

function fnv1a(bytes) {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
