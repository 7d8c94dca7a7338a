let characters: readonly string[] | undefined
let bytes: ReadonlyMap<string, number> | undefined

/** GPT-2's spelling of bytes as printable characters: byte → character. */
export function byteCharacters(): readonly string[] {
  if (!characters) {
    const printable = (byte: number) =>
      (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)
    let next = 256
    characters = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
  }
  return characters
}

/** The way back: character → byte. */
export function characterBytes(): ReadonlyMap<string, number> {
  bytes ??= new Map(byteCharacters().map((character, byte) => [character, byte]))
  return bytes
}

/** The UTF-8 of a text in that spelling. */
export function spellBytes(text: string): string {
  const spelling = byteCharacters()
  let spelled = ''
  for (const byte of new TextEncoder().encode(text)) spelled += spelling[byte]
  return spelled
}
