import { GroundlineError } from '../errors.ts'
import { describe } from './argument.ts'

/** How a provider's address may look. */
export interface TransportOptions {
  /** Lets `http:` addresses beyond this machine through. Texts and keys then travel unencrypted. Default false. */
  readonly allowInsecureHttp?: boolean | undefined
}

/**
 * Refuses addresses that would send texts and keys in the clear: throws `INSECURE_TRANSPORT` unless `url` is `https:`,
 * or `http:` to this machine (`localhost`, `*.localhost`, 127.0.0.0/8, `[::1]`), or the caller allowed it.
 */
export function requireSecureUrl(url: string, options: TransportOptions = {}): URL {
  if (!URL.canParse(url)) {
    throw new GroundlineError('INVALID_ARGUMENT', `baseURL must be an absolute URL, got ${describe(url)}`, {
      details: { argument: 'baseURL' },
    })
  }
  const parsed = new URL(url)
  const encrypted = parsed.protocol === 'https:'
  const plain = parsed.protocol === 'http:'
  if (encrypted || (plain && (options.allowInsecureHttp === true || isLoopback(parsed.hostname)))) return parsed
  throw new GroundlineError(
    'INSECURE_TRANSPORT',
    plain
      ? `${parsed.host} would be reached over http:, in the clear. Use https:, or pass allowInsecureHttp: true`
      : `a provider's address must start with https:, got ${parsed.protocol}`,
    { details: { protocol: parsed.protocol, host: parsed.host } },
  )
}

/** Whether a host name as `URL` writes it is this machine. */
function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/\.$/, '')
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
