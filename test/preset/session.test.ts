import { expect, it } from 'vitest'
import { createSession, sessionFromJson } from '../../src/preset/index.ts'

it('a session survives JSON with its settings and history', () => {
  const session = createSession({ topK: 3, instructions: 'Be brief.' })
  session.append({ role: 'user', content: 'Hi 👩‍🚀' }, { role: 'assistant', content: 'Hello.' })
  const restored = sessionFromJson(JSON.parse(JSON.stringify(session)))
  expect(restored.settings).toEqual(session.settings)
  expect(restored.history).toEqual(session.history)
})

it('a copy of the history is no way into the session', () => {
  const session = createSession()
  ;(session.history as { role: 'user'; content: string }[]).push({ role: 'user', content: 'sneaked in' })
  expect(session.history).toEqual([])
})

it('messages that are none are refused, and nothing of their batch is kept', () => {
  const session = createSession()
  const bad = { role: 'robot', content: 'beep' } as never
  expect(() => session.append({ role: 'user', content: 'Hi' }, bad)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
  expect(session.history).toEqual([])
})

it.each([[null], [{}], [{ format: 2, settings: {}, history: [] }], [{ format: 1, settings: {} }]])(
  '%j is not a session',
  (json) => {
    expect(() => sessionFromJson(json as never)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_FORMAT' }))
  },
)
