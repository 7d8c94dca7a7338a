/** What stands where a secret stood. */
const MASK = '[redacted]'

/** Key formats with a prefix of their own, masked in whole, and what follows an authorisation word. */
const PREFIXED =
  /\b(?:sk|pk|rk|pa|tgp|gsk|hf|xai|r8|jina|pcsk|pplx|nvapi|fw|csk|ghp|gho|ghs|github_pat|glpat|xox[abprs]|AKIA|ASIA|AIza|ya29|eyJ|lsv2|dop|sq0)[-_.A-Za-z0-9*]{8,}|\b(?:AKIA|ASIA|AIza|eyJ)[-_.A-Za-z0-9]{8,}/g
const AFTER_WORD =
  /\b(bearer|basic|(?:x-)?(?:goog-)?api[-_ ]?key|access[-_ ]?token|key|token|secret|password|authorization)(["']?\s*(?:[:=]\s*|%3D|\s(?=\S*\d))(?:(?:bearer|basic)\s+)?["']?)([-_.~+/=%A-Za-z0-9*]{6,})/gi
/** Credentials in front of a host name. */
const USER_INFO = /\/\/[^/\s@]+@/g
/** Words that mix letters and digits for 16 characters or more, and UUIDs: the formats without a prefix. */
const RUN = /[A-Za-z0-9_+/=.-]{16,}/g

/**
 * Masks what may be a key, token or password in a message of another party: the given secrets wherever they occur,
 * known key formats, what follows `Bearer` or `api_key=`, and long words that mix letters and digits. Errs on the side
 * of masking. Linear.
 */
export function redact(text: string, secrets: readonly (string | undefined)[] = []): string {
  let masked = text.length > 4096 ? `${text.slice(0, 4096)}…` : text
  for (const secret of secrets) {
    if (secret === undefined || secret.length < 4) continue
    masked = masked.replaceAll(secret, MASK).replaceAll(encodeURIComponent(secret), MASK)
  }
  return masked
    .replace(USER_INFO, `//${MASK}@`)
    .replace(AFTER_WORD, (_, word: string, between: string) => `${word}${between}${MASK}`)
    .replace(PREFIXED, MASK)
    .replace(RUN, (run) => (looksRandom(run) ? MASK : run))
}

/** Whether a word has a part of 16 characters that mixes letters and digits, or is a UUID. */
function looksRandom(run: string): boolean {
  if (/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.test(run)) return true
  return run.split(/[-_.=+/]/).some((part) => part.length >= 16 && /\d/.test(part) && /[A-Za-z]/.test(part))
}
