import { describe, expect, it } from 'vitest'
import { requireSecureUrl } from '../../src/internal/transport.ts'

describe('requireSecureUrl', () => {
  it('lets https: through, and http: to this machine', () => {
    for (const url of [
      'https://api.example.com/v1',
      'http://localhost:11434',
      'http://LOCALHOST/',
      'http://app.localhost/',
      'http://127.0.0.1:8080',
      'http://127.9.9.9',
      'http://2130706433/',
      'http://[::1]:80/',
    ]) {
      expect(requireSecureUrl(url).href).toBeTruthy()
    }
  })

  it('refuses http: to any other host, names that only look local, and other protocols', () => {
    for (const url of [
      'http://api.example.com',
      'http://10.0.0.1',
      'http://localhost.example.com',
      'http://127.0.0.1.example.com',
      'http://localhost@example.com/',
      'ftp://localhost/',
      'file:///etc/passwd',
    ]) {
      expect(() => requireSecureUrl(url), url).toThrow(expect.objectContaining({ code: 'INSECURE_TRANSPORT' }))
    }
    expect(requireSecureUrl('http://10.0.0.1', { allowInsecureHttp: true }).hostname).toBe('10.0.0.1')
    expect(() => requireSecureUrl('ftp://10.0.0.1', { allowInsecureHttp: true })).toThrow()
  })

  it('never puts credentials of the address into the error', () => {
    try {
      requireSecureUrl('http://user:pa55word@example.com/v1?key=abc')
    } catch (error) {
      expect(JSON.stringify([String(error), error])).not.toMatch(/pa55word|key=abc/)
      return
    }
    throw new Error('not refused')
  })

  it('refuses what is no absolute address', () => {
    expect(() => requireSecureUrl('api.example.com')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
