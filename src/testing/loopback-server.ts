import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as the server received it. */
export interface LoopbackRequest {
  /** `POST`, … */
  readonly method: string
  /** Path and query, as sent. */
  readonly path: string
  /** Headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, parsed if it is JSON, as text otherwise. */
  readonly body: unknown
  /** Position among the requests of this server, counted from 0. */
  readonly index: number
}

/** What the server sends back. Without `json`, `text` and `chunks` the body is empty. */
export interface LoopbackAnswer {
  /** Default 200. */
  readonly status?: number
  /** Added to `content-type`, which follows from the body. */
  readonly headers?: Readonly<Record<string, string>>
  /** The body as JSON. */
  readonly json?: unknown
  /** The body as it is. */
  readonly text?: string
  /** The body in pieces, each written on its own, as `text/event-stream`. */
  readonly chunks?: readonly string[]
  /**
   * How it ends: properly; with the connection cut after the body; or never, with the head sent (`stall`) or not even
   * that (`silence`). Default `proper`.
   */
  readonly end?: 'proper' | 'cut' | 'stall' | 'silence'
}

/** A provider on this machine that says what a test wants it to say. */
export interface LoopbackServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string
  /** Every request so far, in order of arrival. */
  readonly requests: readonly LoopbackRequest[]
  /** Cuts every connection and stops. */
  close(): Promise<void>
}

/**
 * Serves scripted answers over real HTTP on a free port of 127.0.0.1, so that a test drives an adapter and the vendor's
 * SDK under it as they are. Needs Node.
 *
 * @example
 * await using server = await loopbackServer(({ path }) => path === '/v1/models' ? { json: { data: [] } } : { status: 404 })
 */
export async function loopbackServer(
  answer: (request: LoopbackRequest) => LoopbackAnswer | Promise<LoopbackAnswer>,
): Promise<LoopbackServer> {
  const { createServer } = await import('node:http')
  const requests: LoopbackRequest[] = []
  const server = createServer(async (incoming, response) => {
    const body = await readBody(incoming)
    const request = { ...describeRequest(incoming), body, index: requests.length }
    requests.push(request)
    try {
      send(response, await answer(request))
    } catch (error) {
      send(response, { status: 599, text: String(error) })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of incoming) text += decoder.decode(piece, { stream: true })
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function describeRequest({ method = '', url = '', headers }: IncomingMessage): Omit<LoopbackRequest, 'body' | 'index'> {
  const flat = Object.entries(headers).map(([name, value]) => [name, String(value)])
  return { method, path: url, headers: Object.fromEntries(flat) }
}

function send(response: ServerResponse, answer: LoopbackAnswer): void {
  const { status = 200, end = 'proper', chunks } = answer
  if (end === 'silence') return
  const type = chunks ? 'text/event-stream' : answer.text === undefined ? 'application/json' : 'text/html'
  response.writeHead(status, { 'content-type': type, ...answer.headers })
  response.flushHeaders()
  const body = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json))
  for (const piece of chunks ?? (body ? [body] : [])) response.write(piece)
  if (end === 'proper') response.end()
  else if (end === 'cut') response.socket?.end(() => response.destroy())
}
