/** The part of undici's dispatcher that Node's `fetch` calls. */
interface Dispatcher {
  dispatch(options: object, handler: Handler): boolean
}

interface Handler {
  /** Called when the request gets a connection, fresh or kept alive. */
  onConnect?(...received: unknown[]): unknown
  /** The same in later versions. */
  onRequestStart?(...received: unknown[]): unknown
}

/** Where Node keeps the dispatcher of its `fetch`; set as soon as any of fetch's classes is used. */
const GLOBAL_DISPATCHER = Symbol.for('undici.globalDispatcher.1')

/**
 * A member for the `init` of Node's `fetch`, which then calls `connected` when the request has its connection: the name is
 * resolved, the socket open, TLS agreed. Undefined on other platforms, whose `fetch` does not tell. Requests go
 * through Node's own dispatcher, or the one that the application made global.
 */
export function connectWatch(connected: () => void): { readonly dispatcher: Dispatcher } | undefined {
  const found: unknown = typeof Response === 'function' ? Reflect.get(globalThis, GLOBAL_DISPATCHER) : undefined
  if (!isDispatcher(found)) return undefined
  const told = (handler: Handler, name: keyof Handler): PropertyDescriptorMap => {
    const own = handler[name]
    if (typeof own !== 'function') return {}
    const value = function (this: Handler, ...received: unknown[]) {
      connected()
      return own.apply(this, received)
    }
    return { [name]: { value, writable: true, configurable: true } }
  }
  return {
    dispatcher: {
      dispatch: (options, handler) =>
        found.dispatch(
          options,
          Object.create(handler, { ...told(handler, 'onConnect'), ...told(handler, 'onRequestStart') }),
        ),
    },
  }
}

function isDispatcher(value: unknown): value is Dispatcher {
  return typeof value === 'object' && value !== null && 'dispatch' in value && typeof value.dispatch === 'function'
}
