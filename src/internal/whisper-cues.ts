import { GroundlineError } from '../errors.ts'
import { type JsonSpan, jsonSpans } from './json-spans.ts'
import type { CueFault, SourceCue } from './subtitle-cues.ts'

/** Words this far apart, in seconds, begin a new cue. */
const PAUSE = 1
const LONGEST = 30

/**
 * Cues of Whisper's JSON: `segments` (or `chunks` with `timestamp` pairs), else `words` joined into cues at pauses and
 * sentence ends. A last `timestamp` of null ends where it starts.
 */
export function whisperCues(original: string, id: string, fail: CueFault): SourceCue[] {
  const { spans, fault } = jsonSpans(original)
  if (fault !== undefined) {
    throw new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(id)} is not JSON at offset ${fault.position}`, {
      details: { id, position: fault.position },
    })
  }
  const root: unknown = JSON.parse(original)
  const lists = Array.isArray(root)
    ? [['', root] as const]
    : ['segments', 'chunks', 'words'].map((key) => [key, field(root, key)] as const)
  const [key, items] = lists.find(([, list]) => Array.isArray(list) && list.length > 0) ?? []
  if (key === undefined || !Array.isArray(items)) {
    throw new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(id)} has no segments, chunks or words`, {
      details: { id },
    })
  }
  const places = textPlaces(spans, key)
  const cues = items.map((item: unknown, index): SourceCue => {
    const text = field(item, 'text') ?? field(item, 'word')
    const [startTime, endTime] = timesOf(item)
    if (typeof text !== 'string') return fail(index + 1, 'has no text')
    if (startTime === undefined || endTime === undefined) return fail(index + 1, 'has no start and end in seconds')
    if (endTime < startTime) return fail(index + 1, `ends (${endTime}) before it starts (${startTime})`)
    const speaker = field(item, 'speaker')
    const place = places.get(index)
    if (place === undefined) return fail(index + 1, 'has no text')
    const { words, item: whole } = place
    const parts = text.trim() === '' ? [] : [{ text: text.trim(), start: words.start, end: words.end }]
    return {
      start: whole.start,
      end: whole.end,
      startTime,
      endTime,
      ...(typeof speaker === 'string' ? { speaker } : {}),
      parts,
    }
  })
  return key === 'words' ? joinWords(cues) : cues
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

function timesOf(item: unknown): [start: number | undefined, end: number | undefined] {
  const pair = field(item, 'timestamp')
  const [start, end] = Array.isArray(pair) ? pair : [field(item, 'start'), field(item, 'end')]
  const number = (value: unknown): number | undefined => (typeof value === 'number' && value >= 0 ? value : undefined)
  return [number(start), end === null ? number(start) : number(end)]
}

/** Where each item of the list stands in the file, and its text. */
function textPlaces(spans: readonly JsonSpan[], list: string): Map<number, { item: JsonSpan; words: JsonSpan }> {
  const places = new Map<number, { item: JsonSpan; words: JsonSpan }>()
  for (const span of spans) {
    if (span.key !== 'text' && span.key !== 'word') continue
    const item = spans[span.parent]
    const owner = item === undefined ? undefined : spans[item.parent]
    const isList = list === '' ? owner?.parent === -1 : owner?.key === list && spans[owner.parent]?.parent === -1
    if (item !== undefined && isList && !places.has(Number(item.key)))
      places.set(Number(item.key), { item, words: span })
  }
  return places
}

function joinWords(words: readonly SourceCue[]): SourceCue[] {
  const cues: SourceCue[] = []
  for (const word of words) {
    const last = cues[cues.length - 1]
    const ends = /[.!?。！？]$/.test(last?.parts[last.parts.length - 1]?.text ?? '')
    const near = last !== undefined && word.startTime - last.endTime < PAUSE && word.endTime - last.startTime < LONGEST
    if (last === undefined || ends || !near || last.speaker !== word.speaker) cues.push(word)
    else {
      const at = word.parts[0]?.start ?? 0
      const parts = [...last.parts, { text: ' ', start: at, end: at }, ...word.parts]
      cues[cues.length - 1] = { ...last, end: word.end, endTime: word.endTime, parts }
    }
  }
  return cues
}
