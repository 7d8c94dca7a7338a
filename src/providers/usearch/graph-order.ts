import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { GroundlineError } from '../../errors.ts'

/** After the matrix: 64 bytes that begin with the magic, then size, links a node above and on the lowest level, levels, entry. */
const HEAD = 64
const FIELDS = 40
/** The first part of the version whose layout this is; it follows the magic. */
const VERSION = 2
/** Each node: its key, its level, then for each level a count and room for that many slots. */
const NODE_HEAD = 10
const ROWS = 1_024

/** Where things are in a file that USearch wrote. */
interface Layout {
  readonly size: number
  readonly rowBytes: number
  readonly entry: number
  /** Bytes of the lowest level's list, and of each one above. */
  readonly lowest: number
  readonly above: number
  /** What follows the matrix. */
  readonly tail: Buffer
  /** Where each node starts in the tail, and where the last ends. */
  readonly starts: Uint32Array
}

/**
 * Writes a graph's file again with its nodes in depth-first order, nearest first, so that what a search visits one
 * after the other lies close together in memory. Same nodes, keys and links: the same answers. False, and nothing
 * written, where the file is of a version whose layout is not known. Throws `STORAGE_FAILED` for one that is not complete,
 * as a full disk leaves it without an error. The effect of such orders: Coleman and others, "Graph Reordering
 * for Cache-Efficient Near Neighbor Search", 2021.
 */
export function writeInOrder(source: string, target: string): boolean {
  const from = openSync(source, 'r')
  try {
    const layout = layoutOf(from)
    if (layout === undefined) return false
    const to = openSync(target, 'wx', 0o600)
    try {
      const order = depthFirst(layout)
      writeMatrix(from, to, layout, order)
      writeAll(to, tailInOrder(layout, order))
    } finally {
      closeSync(to)
    }
    return true
  } finally {
    closeSync(from)
  }
}

function layoutOf(file: number): Layout | undefined {
  const length = fstatSync(file).size
  if (length < 8) throw incomplete(length)
  const matrix = readAt(file, 0, 8)
  const [size, rowBytes] = [matrix.readUInt32LE(0), matrix.readUInt32LE(4)]
  const at = 8 + size * rowBytes
  if (length < at + HEAD) throw incomplete(length)
  const head = readAt(file, at, HEAD)
  if (head.toString('latin1', 0, 7) !== 'usearch') throw incomplete(length)
  if (head.readUInt16LE(7) !== VERSION || size === 0 || length - at > 0xffffffff) return undefined
  if (length < at + HEAD + FIELDS + 2 * size) throw incomplete(length)
  const tail = readAt(file, at, length - at)
  const field = (i: number) => Number(tail.readBigUInt64LE(HEAD + 8 * i))
  const [above, lowest, entry] = [field(1) * 4 + 4, field(2) * 4 + 4, field(4)]
  if (field(0) !== size || entry >= size) throw incomplete(length)
  const starts = new Uint32Array(size + 1)
  starts[0] = HEAD + FIELDS + 2 * size
  for (let node = 0; node < size; node++)
    starts[node + 1] = starts[node]! + NODE_HEAD + lowest + above * tail.readInt16LE(HEAD + FIELDS + 2 * node)
  if (starts[size] !== tail.length) throw incomplete(length)
  return { size, rowBytes, entry, lowest, above, tail, starts }
}

function incomplete(bytes: number): GroundlineError {
  return new GroundlineError('STORAGE_FAILED', `the graph was not written in full: ${bytes} bytes are no whole index`, {
    details: { bytes },
  })
}

/** Nodes from the entry on, each followed by its nearest neighbour that has no place yet. */
function depthFirst({ size, entry, tail, starts }: Layout): Uint32Array {
  const order = new Uint32Array(size)
  const placed = new Uint8Array(size)
  const stack: number[] = []
  let next = 0
  for (let root = -1; root < size; root++) {
    stack.push(root < 0 ? entry : root)
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (placed[node] === 1) continue
      placed[node] = 1
      order[next++] = node
      // Neighbours are listed nearest first; the last one put on the stack is the first to be taken.
      const list = starts[node]! + NODE_HEAD
      for (let i = tail.readUInt32LE(list); i > 0; i--) {
        const neighbour = tail.readUInt32LE(list + 4 * i)
        if (placed[neighbour] === 0) stack.push(neighbour)
      }
    }
  }
  return order
}

function writeMatrix(from: number, to: number, { size, rowBytes }: Layout, order: Uint32Array): void {
  const start = Buffer.alloc(8)
  start.writeUInt32LE(size, 0)
  start.writeUInt32LE(rowBytes, 4)
  writeAll(to, start)
  const block = Buffer.alloc(Math.min(ROWS, size) * rowBytes)
  for (let first = 0; first < size; first += ROWS) {
    const count = Math.min(ROWS, size - first)
    for (let i = 0; i < count; i++)
      readInto(from, block.subarray(i * rowBytes, (i + 1) * rowBytes), 8 + order[first + i]! * rowBytes)
    writeAll(to, block.subarray(0, count * rowBytes))
  }
}

/** Header, levels and nodes, with every slot replaced by its place in the order. */
function tailInOrder({ size, entry, lowest, above, tail, starts }: Layout, order: Uint32Array): Buffer {
  const places = new Uint32Array(size)
  for (let i = 0; i < size; i++) places[order[i]!] = i
  const written = Buffer.alloc(tail.length)
  tail.copy(written, 0, 0, HEAD + FIELDS)
  written.writeBigUInt64LE(BigInt(places[entry]!), HEAD + 32)
  let at = starts[0]!
  for (let i = 0; i < size; i++) {
    const node = order[i]!
    tail.copy(written, HEAD + FIELDS + 2 * i, HEAD + FIELDS + 2 * node, HEAD + FIELDS + 2 * node + 2)
    tail.copy(written, at, starts[node], starts[node + 1])
    const end = at + starts[node + 1]! - starts[node]!
    let bytes = lowest
    for (let list = at + NODE_HEAD; list < end; list += bytes, bytes = above)
      for (let link = written.readUInt32LE(list); link > 0; link--)
        written.writeUInt32LE(places[written.readUInt32LE(list + 4 * link)]!, list + 4 * link)
    at = end
  }
  return written
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  readInto(file, bytes, position)
  return bytes
}

function readInto(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, bytes.length - done, position + done)
    if (read === 0) throw new Error('the graph file is shorter than it was')
    done += read
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}
