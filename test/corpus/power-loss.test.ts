import { describe, expect, test } from 'vitest'
import { openCorpus, type Storage, type VersionedCorpus } from '../../src/corpus/index.ts'
import type { FileSystem } from '../../src/node/index.ts'
import { fileStorage } from '../../src/node/index.ts'
import { scaled } from './scale.ts'
import { type SimulatedFileSystem, seededRandom, simulatedFileSystem } from './simulated-file-system.ts'
import { entryFor, space, textsOf } from './support.ts'

type Model = ReadonlyMap<string, string>

/** What power loss left, and what had been promised by then. */
interface CrashState {
  readonly files: SimulatedFileSystem
  /** What the last acknowledged operation left. */
  readonly acknowledged: Model
  /** What the operation under way would leave; the same when none was. */
  readonly started: Model
}

/** Runs mixed work and takes the states that power loss could leave, a few after each call of the file system. */
async function crashStates(
  seed: number,
  perCall: number,
  wrapFiles: (files: FileSystem) => FileSystem = (files) => files,
  wrapStorage: (storage: Storage) => Storage = (storage) => storage,
): Promise<CrashState[]> {
  const random = seededRandom(seed)
  const states: CrashState[] = []
  let acknowledged: Model = new Map()
  let started: Model = new Map()
  const files = simulatedFileSystem(undefined, () => {
    for (let index = 0; index < perCall; index++) states.push({ files: files.crashed(random), acknowledged, started })
  })
  const storage = wrapStorage(fileStorage('/kb', { fileSystem: wrapFiles(files) }))
  const corpus = await openCorpus({ storage, maintenance: 'manual' })
  const history: Model[] = [new Map()]
  const run = async (model: Model, work: (corpus: VersionedCorpus) => Promise<unknown>): Promise<void> => {
    started = model
    await work(corpus)
    acknowledged = model
  }
  for (let step = 0; step < 12; step++) {
    const choice = random()
    const next = new Map(acknowledged)
    if (choice < 0.55 || next.size < 2) {
      const names = [`d${Math.floor(random() * 5)}`, `e${Math.floor(random() * 5)}`]
      for (const name of names) next.set(name, `text ${step} of ${name}`)
      await run(next, (one) => one.commit({ put: names.map((id) => entryFor({ id, text: next.get(id)! })), space }))
    } else if (choice < 0.7) {
      const id = [...next.keys()][Math.floor(random() * next.size)]!
      next.delete(id)
      await run(next, (one) => one.commit({ remove: [id] }))
    } else if (choice < 0.8) await run(next, (one) => one.compact())
    else if (choice < 0.9) await run(next, (one) => one.collect({ keep: { versions: 2, milliseconds: 0 } }))
    else {
      const before = history.at(-2)
      const versions = await corpus.versions()
      const target = versions.at(-2)
      if (before && target) {
        const view = await corpus.at(target.version)
        const content = await textsOf(view)
        await view.close()
        await run(content, (one) => one.rollback(target.version))
      }
    }
    history.push(acknowledged)
  }
  return states
}

const sameMap = (a: Model, b: Model): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)

/** What is wrong with a state, or undefined. */
async function lossIn({ files, acknowledged, started }: CrashState): Promise<string | undefined> {
  try {
    const storage = fileStorage('/kb', { fileSystem: files })
    const corpus = await openCorpus({ storage })
    const found = await textsOf(corpus)
    if (!sameMap(found, acknowledged) && !sameMap(found, started)) {
      return `found ${JSON.stringify([...found])}, promised ${JSON.stringify([...acknowledged])}`
    }
    const damage = await corpus.verify()
    if (damage.length > 0) return damage[0]!.message
    await corpus.commit({ put: [entryFor({ id: 'after', text: 'the crash' })], space })
    const again = await textsOf(await openCorpus({ storage }))
    return sameMap(again, new Map([...found, ['after', 'the crash']])) ? undefined : 'a commit after the crash was lost'
  } catch (error) {
    return String(error)
  }
}

async function losses(states: readonly CrashState[], enough = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found: string[] = []
  for (const state of states) {
    const loss = await lossIn(state)
    if (loss !== undefined) found.push(loss)
    if (found.length >= enough) break
  }
  return found
}

describe('power loss', () => {
  const wanted = scaled({ quick: 600, short: 5_000, full: 24_000 })

  test(`no state of ${wanted} that power loss can leave lacks what was acknowledged`, {
    timeout: 600_000,
  }, async () => {
    let checked = 0
    for (let seed = 1; checked < wanted; seed++) {
      const states = (await crashStates(seed, 2)).slice(0, wanted - checked)
      expect(await losses(states, 1), `seed ${seed}`).toEqual([])
      checked += states.length
    }
  })

  type Mutant = [((files: FileSystem) => FileSystem) | undefined, ((storage: Storage) => Storage)?]
  const mutants: Record<string, Mutant> = {
    'files are not synchronised': [
      (files) => ({
        ...files,
        open: async (path, flags) => {
          const handle = await files.open(path, flags)
          return flags === 'wx' ? { ...handle, sync: async () => undefined } : handle
        },
      }),
    ],
    'folders are not synchronised': [
      (files) => ({
        ...files,
        open: async (path, flags) => {
          const handle = await files.open(path, flags)
          return flags === 'r' ? { ...handle, sync: async () => undefined } : handle
        },
      }),
    ],
    'a manifest is acknowledged before it is written': [
      undefined,
      (storage) => {
        let last: Promise<void> = Promise.resolve()
        const settled = async <T>(call: () => Promise<T>): Promise<T> => {
          await last
          return call()
        }
        return {
          ...storage,
          publish: async (name, bytes, options) => {
            last = storage.publish(name, bytes, options)
          },
          read: (name, range, options) => settled(() => storage.read(name, range, options)),
          list: async (prefix, options) => (prefix === 'manifests/' ? [] : storage.list(prefix, options)),
          writeNew: (name, bytes, options) => settled(() => storage.writeNew(name, bytes, options)),
        }
      },
    ],
  }
  test.each(Object.entries(mutants))('the simulator finds the loss when %s', async (_, [wrapFiles, wrapStorage]) => {
    let found: string[] = []
    for (let seed = 1; seed <= 5 && found.length === 0; seed++) {
      found = await losses(await crashStates(seed, 2, wrapFiles, wrapStorage), 1)
    }
    expect(found.length).toBeGreaterThan(0)
  })
})
