import fc from 'fast-check'

const piece = fc.oneof(
  fc.constantFrom(
    'key',
    ' rotate',
    'The ',
    '\n',
    '\n\n',
    '  ',
    '/etc/passwd',
    '// comment',
    '```\ncode\n```',
    '90',
    '12345',
    'é',
    '鍵',
    '🔑',
    '👩‍👩‍👧',
    '<|im_end|>',
    "'ll",
    '\r\n',
    '\t',
    '\u0085',
    '\ufeff',
    '…',
    '.',
    '!?',
    '-',
    '=>',
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
)

/** Texts that are hard on boundaries: line ends, white space, slashes, control tokens and any code point. */
export function randomText(maxLength = 60): fc.Arbitrary<string> {
  return fc.array(piece, { maxLength }).map((parts) => parts.join(''))
}
