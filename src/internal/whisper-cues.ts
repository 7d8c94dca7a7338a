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
  if (spans.filter(({ depth }) => depth === 0).length > 1) {
    throw new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(id)} has several JSON values, not one`, {
      details: { id },
    })
  }
  const root: unknown = JSON.parse(original)
  const lists = Array.isArray(root)
    ? [['', root] as const]
    : ['segments', 'chunks', 'words'].map((key) => [key, field(root, key)] as const)
  const arrays = lists.filter(([, list]) => Array.isArray(list))
  // A recording without a word has an empty list.
  const [key, items] = arrays.find(([, list]) => (list as unknown[]).length > 0) ?? arrays[0] ?? []
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
    const parts = trimmed(stringParts(original.slice(words.start, words.end), words.start))
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
  const number = (value: unknown): number | undefined =>
    typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : undefined
  return [number(start), end === null ? number(start) : number(end)]
}

/** Where each item of the list stands in the file, and its text. Of equal keys the last counts, as it does to `JSON.parse`. */
function textPlaces(spans: readonly JsonSpan[], list: string): Map<number, { item: JsonSpan; words: JsonSpan }> {
  const places = new Map<number, { item: JsonSpan; words: JsonSpan }>()
  const owner = list === '' ? 0 : spans.findLastIndex(({ depth, key }) => depth === 1 && key === list)
  for (const span of spans) {
    if (span.key !== 'text' && span.key !== 'word') continue
    const item = spans[span.parent]
    if (item?.parent !== owner) continue
    const found = places.get(Number(item.key))
    if (span.key === 'text' || found?.words.key !== 'text') places.set(Number(item.key), { item, words: span })
  }
  return places
}

type Part = SourceCue['parts'][number]

/** The characters of a member whose value is a string, each stretch without escapes at its place, each escape at its own. */
function stringParts(member: string, offset: number): Part[] {
  const start = /^"(?:[^"\\]|\\.)*"\s*:\s*"/.exec(member)?.[0].length ?? 0
  const parts: Part[] = []
  const add = (text: string, from: number, to: number): void => {
    if (to > from) parts.push({ text, start: offset + from, end: offset + to })
  }
  let at = start
  for (const { 0: sign, index } of member.slice(start, -1).matchAll(/\\(?:u[\da-fA-F]{4}|.)/g)) {
    add(member.slice(at, start + index), at, start + index)
    at = start + index + sign.length
    add(JSON.parse(`"${sign}"`) as string, start + index, at)
  }
  add(member.slice(at, -1), at, member.length - 1)
  return parts
}

/** The same without white space at either end. */
function trimmed(parts: Part[]): Part[] {
  let from = 0
  let to = parts.length
  while (from < to && parts[from]!.text.trim() === '') from += 1
  while (to > from && parts[to - 1]!.text.trim() === '') to -= 1
  const kept = parts.slice(from, to)
  const [first] = kept
  if (first === undefined) return kept
  const begun = first.text.trimStart()
  kept[0] = { ...first, text: begun, start: first.start + first.text.length - begun.length }
  const last = kept[kept.length - 1]!
  const ended = last.text.trimEnd()
  kept[kept.length - 1] = { ...last, text: ended, end: last.end - last.text.length + ended.length }
  return kept
}

function joinWords(words: readonly SourceCue[]): SourceCue[] {
  const cues: (Omit<SourceCue, 'end' | 'endTime' | 'parts'> & { end: number; endTime: number; parts: Part[] })[] = []
  for (const word of words) {
    const last = cues[cues.length - 1]
    const ends = /[.!?。！？]$/.test(last?.parts[last.parts.length - 1]?.text ?? '')
    const near = last !== undefined && word.startTime - last.endTime < PAUSE && word.endTime - last.startTime < LONGEST
    if (last === undefined || ends || !near || last.speaker !== word.speaker)
      cues.push({ ...word, parts: [...word.parts] })
    else {
      const at = word.parts[0]?.start ?? 0
      last.parts.push({ text: ' ', start: at, end: at }, ...word.parts)
      last.end = word.end
      last.endTime = Math.max(last.endTime, word.endTime)
    }
  }
  return cues
}
