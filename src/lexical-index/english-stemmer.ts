/**
 * A light English stemmer: plurals, `-ed`, `-ing` and `-y`, nothing else (step 1 of Porter, "An algorithm for suffix
 * stripping", 1980). Light stemming keeps words apart that heavier stemmers join: `universe` and `university`.
 *
 * @example
 * stemEnglish('ponies') // 'poni'
 */
export function stemEnglish(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word
  const singular = stripPlural(word)
  const base = stripPast(singular)
  return base.endsWith('y') && hasVowel(base, base.length - 1) ? `${base.slice(0, -1)}i` : base
}

function stripPlural(word: string): string {
  // Porter leaves "boxes" as "boxe"; here it meets "box". "caches" keeps its e, as "cache" does.
  if (/(?:ss|x|zz|sh|[^ai]ch|[eo]ach)es$/.test(word)) return word.slice(0, -2)
  if (word.endsWith('ies')) return word.slice(0, -2)
  if (word.endsWith('ss') || !word.endsWith('s')) return word
  return word.slice(0, -1)
}

function stripPast(word: string): string {
  if (word.endsWith('eed')) return measure(word, word.length - 3) > 0 ? word.slice(0, -1) : word
  const suffix = word.endsWith('ed') ? 2 : word.endsWith('ing') ? 3 : 0
  if (suffix === 0 || !hasVowel(word, word.length - suffix)) return word
  const stem = word.slice(0, -suffix)
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`
  if (/([^aeioulsz])\1$/.test(stem)) return stem.slice(0, -1)
  return measure(stem, stem.length) === 1 && endsConsonantVowelConsonant(stem) ? `${stem}e` : stem
}

function isConsonant(word: string, i: number): boolean {
  const letter = word[i]!
  if (letter === 'y') return i === 0 || !isConsonant(word, i - 1)
  return !'aeiou'.includes(letter)
}

function hasVowel(word: string, end: number): boolean {
  for (let i = 0; i < end; i++) if (!isConsonant(word, i)) return true
  return false
}

/** How many times a vowel run is followed by a consonant run: Porter's m. */
function measure(word: string, end: number): number {
  let count = 0
  for (let i = 1; i < end; i++) if (isConsonant(word, i) && !isConsonant(word, i - 1)) count++
  return count
}

function endsConsonantVowelConsonant(word: string): boolean {
  const last = word.length - 1
  return (
    last >= 2 &&
    isConsonant(word, last) &&
    !isConsonant(word, last - 1) &&
    isConsonant(word, last - 2) &&
    !'wxy'.includes(word[last]!)
  )
}
