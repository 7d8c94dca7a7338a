import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Index } from 'usearch'
import { GroundlineError } from '../../errors.ts'
import { writeInOrder } from './graph-order.ts'

/** A file as it was published: whatever has another size or digest is not it. */
export interface PublishedFile {
  /** Name within its folder. */
  readonly name: string
  /** Length. */
  readonly bytes: number
  /** SHA-256 in hexadecimal. */
  readonly sha256: string
}

const CHUNK = 1 << 20
/** The head of every file that USearch writes, after the matrix of vectors. */
const MAGIC = 'usearch'

/** A name that no file ever had. */
export function newFileName(kind: string): string {
  return `${kind}-${randomBytes(12).toString('hex')}`
}

/**
 * Writes a graph under a name made of its digest, its nodes in an order that searches visit fast: to a temporary file, flushed, read back in
 * full, renamed, the folder flushed. A short file, which a full disk leaves without an error, is found by its layout, or where
 * USearch has another layout than is known, because a second one has not the same bytes.
 */
export async function publishGraph(graph: Index, directory: string): Promise<PublishedFile> {
  const temporary = join(directory, `${newFileName('graph')}.usearch.tmp`)
  const saved = join(directory, `${newFileName('graph')}.usearch.tmp`)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    graph.save(saved)
    if (!writeInOrder(saved, temporary)) {
      graph.save(temporary)
      if (!(await sameBytes(saved, temporary))) throw new Error('the graph was not written in full')
    }
    await unlink(saved)
    const file = await open(temporary, 'r+')
    try {
      await file.sync()
      const { bytes, sha256, hasMagic } = await digestOf(file)
      const name = `graph-${sha256.slice(0, 24)}.usearch`
      if (!hasMagic) throw damaged(name, 'the file is not a complete USearch index')
      // Whoever shortens a file that is viewed ends the process (SIGBUS). Windows lets nobody do it, and renames over no such file.
      if (process.platform !== 'win32') await file.chmod((await file.stat()).mode & 0o555)
      await rename(temporary, join(directory, name))
      await syncFolder(directory)
      return { name, bytes, sha256 }
    } finally {
      await file.close()
    }
  } catch (error) {
    for (const left of [saved, temporary]) await unlink(left).catch(() => undefined)
    if (error instanceof GroundlineError) throw error
    throw new GroundlineError('STORAGE_FAILED', `the graph could not be written to ${directory}`, {
      cause: error,
      details: { directory },
    })
  }
}

/** Throws `CORRUPT_DATA` unless the file is, byte for byte, the one that was published. */
export async function verifyFile(directory: string, published: PublishedFile, signal?: AbortSignal): Promise<string> {
  const path = join(directory, published.name)
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY)
  } catch (cause) {
    throw damaged(published.name, 'the file is missing or cannot be read', cause)
  }
  try {
    const { bytes, sha256 } = await digestOf(file, signal)
    if (bytes !== published.bytes || sha256 !== published.sha256)
      throw damaged(published.name, `${published.bytes} bytes with another digest were published`)
    return path
  } finally {
    await file.close()
  }
}

/** Flushes a folder, so that a rename in it lasts. Where folders cannot be opened, the rename lasts by itself. */
export async function syncFolder(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(directory, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Writes bytes under a new name as {@link publishGraph} does. */
export async function publishBytes(
  path: string,
  parts: Iterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<PublishedFile> {
  const temporary = `${path}.tmp`
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const file = await open(temporary, 'wx')
    try {
      for (const part of parts) {
        signal?.throwIfAborted()
        hash.update(part)
        bytes += part.length
        await file.writeFile(part)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    signal?.throwIfAborted()
    throw new GroundlineError('STORAGE_FAILED', `the index could not be written to ${path}`, {
      cause,
      details: { path },
    })
  }
  return { name: path.slice(dirname(path).length + 1), bytes, sha256: hash.digest('hex') }
}

async function sameBytes(...paths: readonly string[]): Promise<boolean> {
  const digests = await Promise.all(
    paths.map(async (path) => {
      const file = await open(path, constants.O_RDONLY)
      try {
        return (await digestOf(file)).sha256
      } finally {
        await file.close()
      }
    }),
  )
  return digests.every((digest) => digest === digests[0])
}

async function digestOf(
  file: FileHandle,
  signal?: AbortSignal,
): Promise<{ bytes: number; sha256: string; hasMagic: boolean }> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK)
  let bytes = 0
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, CHUNK, bytes)
    if (bytesRead === 0) break
    hash.update(buffer.subarray(0, bytesRead))
    bytes += bytesRead
  }
  return { bytes, sha256: hash.digest('hex'), hasMagic: await hasMagic(file, bytes) }
}

/** Whether the head stands where the first eight bytes (rows, bytes a row) say that the matrix ends. */
async function hasMagic(file: FileHandle, bytes: number): Promise<boolean> {
  const start = Buffer.alloc(8)
  if ((await file.read(start, 0, 8, 0)).bytesRead < 8) return false
  const at = 8 + start.readUInt32LE(0) * start.readUInt32LE(4)
  const head = Buffer.alloc(MAGIC.length)
  if (at + 64 > bytes) return false
  await file.read(head, 0, head.length, at)
  return head.toString('latin1') === MAGIC
}

function damaged(name: string, reason: string, cause?: unknown): GroundlineError {
  return new GroundlineError('CORRUPT_DATA', `the index file ${name} is damaged: ${reason}`, {
    cause,
    details: { file: name },
  })
}
