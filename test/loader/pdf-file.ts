/** A PDF of pages whose content streams are given. */
export function pdf(contents: readonly Buffer[], filter = ''): Uint8Array {
  const objects: Uint8Array[] = []
  const text = (value: string) => Buffer.from(value, 'latin1')
  const kids = contents.map((_, n) => `${4 + n * 2} 0 R`).join(' ')
  objects.push(text('<< /Type /Catalog /Pages 2 0 R >>'))
  objects.push(text(`<< /Type /Pages /Kids [${kids}] /Count ${contents.length} >>`))
  objects.push(text('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'))
  for (const [n, content] of contents.entries()) {
    const font = '/Resources << /Font << /F1 3 0 R >> >>'
    objects.push(text(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] ${font} /Contents ${5 + n * 2} 0 R >>`))
    objects.push(
      Buffer.concat([text(`<< /Length ${content.length} ${filter} >>\nstream\n`), content, text('\nendstream')]),
    )
  }
  const parts: Uint8Array[] = [text('%PDF-1.4\n')]
  const offsets: number[] = []
  for (const [n, object] of objects.entries()) {
    offsets.push(Buffer.concat(parts).length)
    parts.push(text(`${n + 1} 0 obj\n`), object, text('\nendobj\n'))
  }
  const xref = Buffer.concat(parts).length
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  parts.push(text(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`))
  parts.push(text(`trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF`))
  return new Uint8Array(Buffer.concat(parts))
}

/** The content stream of a page, from its text operators. */
export const page = (lines: string): Buffer => Buffer.from(`BT /F1 12 Tf 50 700 Td 14 TL ${lines} ET`)
