import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSilentServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/internal/clock.ts'
import { deadlineFetch, withDeadline } from '../../src/internal/deadline.ts'

/** A clock whose deadlines strike when the test says so. */
function strikingClock(): Clock & { strike(): void; pending(): number } {
  const tasks = new Set<() => void>()
  return {
    now: () => 0,
    schedule(_, task) {
      tasks.add(task)
      return () => tasks.delete(task)
    },
    strike() {
      for (const task of [...tasks]) task()
    },
    pending: () => tasks.size,
  }
}

async function withServer(handler: Parameters<typeof createServer>[1], run: (url: string) => Promise<void>) {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const late = { code: 'PROVIDER_FAILED', provider: 'acme', retryable: true }

describe('deadlineFetch', () => {
  it('gives up on a server that never answers', async () => {
    const clock = strikingClock()
    await withServer(
      () => clock.strike(),
      async (url) => {
        await expect(deadlineFetch('acme', {}, fetch, clock)(url)).rejects.toMatchObject(late)
      },
    )
  })

  it('gives up on a connection that is never made, by a deadline of its own', async () => {
    // It takes sockets and never answers the start of TLS.
    const server = createSilentServer((socket) => sockets.push(socket))
    const sockets: Socket[] = []
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const started = performance.now()
    await expect(deadlineFetch('acme', { connectMs: 60, headMs: 20_000 })(url)).rejects.toMatchObject({
      ...late,
      details: { part: 'no connection', deadlineMs: 60 },
    })
    expect(performance.now() - started).toBeLessThan(10_000)
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  it('lets a connected provider take longer than the connection may, fresh or kept alive', async () => {
    const clock = strikingClock()
    await withServer(
      (_, response) => {
        // Strikes every deadline that is not over: connected, only the head's is left, and it is infinite.
        clock.strike()
        response.end('slow')
      },
      async (url) => {
        const patient = deadlineFetch('acme', { connectMs: 50, headMs: Number.POSITIVE_INFINITY }, fetch, clock)
        for (let call = 0; call < 3; call++) {
          const response = await patient(url, { method: 'POST', body: 'text' })
          expect(await response.text()).toBe('slow')
          expect(clock.pending()).toBe(0)
        }
      },
    )
  })

  it('gives up on a body that never starts, and on one that stalls', async () => {
    for (const first of ['', 'half']) {
      const clock = strikingClock()
      await withServer(
        (_, response) => {
          response.writeHead(200)
          response.flushHeaders()
          if (first) response.write(first)
        },
        async (url) => {
          const response = await deadlineFetch('acme', {}, fetch, clock)(url)
          const reader = response.body?.getReader()
          if (first) expect((await reader?.read())?.value?.length).toBe(4)
          const next = reader?.read()
          await new Promise(setImmediate)
          clock.strike()
          await expect(next).rejects.toMatchObject(late)
        },
      )
    }
  })

  it('passes a whole answer through and leaves no timer behind', async () => {
    const clock = strikingClock()
    await withServer(
      (_, response) => response.writeHead(201, { 'x-a': 'b' }).end('whole'),
      async (url) => {
        const response = await deadlineFetch('acme', {}, fetch, clock)(url)
        expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, 'b', 'whole'])
        expect(clock.pending()).toBe(0)
      },
    )
  })

  it('follows no redirect', async () => {
    await withServer(
      (request, response) =>
        request.url === '/' ? response.writeHead(307, { location: '/elsewhere' }).end() : response.end('leaked'),
      async (url) => {
        await expect(deadlineFetch('acme')(url, { method: 'POST', body: 'secret' })).rejects.toThrow()
      },
    )
  })
})

describe('withDeadline', () => {
  it('settles at the deadline although the call never does, and tells the call', async () => {
    const clock = strikingClock()
    let told: AbortSignal | undefined
    const call = withDeadline(
      'acme',
      (signal) => {
        told = signal
        return new Promise(() => {})
      },
      undefined,
      10,
      clock,
    )
    clock.strike()
    await expect(call).rejects.toMatchObject(late)
    expect(told?.aborted).toBe(true)
  })

  it('rejects with the reason of the caller at once', async () => {
    const reason = new Error('mine')
    const controller = new AbortController()
    const call = withDeadline('acme', () => new Promise(() => {}), controller.signal)
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    await expect(withDeadline('acme', async () => 1, AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})
