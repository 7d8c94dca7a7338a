/** Writes ONNX files: the protocol-buffer messages of onnx.proto3 that small models need, and nothing else. */

const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    bytes.push(rest ? low | 128 : low)
  } while (rest)
  return Buffer.from(bytes)
}
const tag = (field: number, wire: number) => varint((field << 3) | wire)
const integer = (field: number, value: number) => join(tag(field, 0), varint(value))
const bytes = (field: number, content: Uint8Array) => join(tag(field, 2), varint(content.length), content)
const text = (field: number, content: string) => bytes(field, Buffer.from(content))
function float(field: number, value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeFloatLE(value)
  return join(tag(field, 5), buffer)
}

const FLOAT = 1
const INT64 = 7
type Dim = number | string
type Attribute = number | { readonly float: number } | readonly number[]

function attribute(name: string, value: Attribute): Buffer {
  if (typeof value === 'number') return join(text(1, name), integer(3, value), integer(20, 2))
  if ('float' in value) return join(text(1, name), float(2, value.float), integer(20, 1))
  return join(text(1, name), ...value.map((each) => integer(8, each)), integer(20, 7))
}

function tensor(name: string, dims: readonly number[], type: number, raw: Uint8Array): Buffer {
  return join(...dims.map((dim) => integer(1, dim)), integer(2, type), text(8, name), bytes(9, raw))
}

function valueInfo(name: string, type: number, dims: readonly Dim[]): Buffer {
  const shape = dims.map((dim) => bytes(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim)))
  return join(text(1, name), bytes(2, bytes(1, join(integer(1, type), bytes(2, join(...shape))))))
}

/** A graph under construction. Every method returns the name of what it added. */
export class OnnxGraph {
  readonly #nodes: Buffer[] = []
  readonly #constants: Buffer[] = []
  readonly #inputs: Buffer[] = []
  readonly #outputs: Buffer[] = []
  readonly #random: () => number
  #names = 0

  constructor(random: () => number) {
    this.#random = random
  }

  integers(name: string, dims: readonly Dim[]): string {
    this.#inputs.push(valueInfo(name, INT64, dims))
    return name
  }

  output(name: string, from: string, dims: readonly Dim[]): void {
    this.op('Identity', [from], {}, name)
    this.#outputs.push(valueInfo(name, FLOAT, dims))
  }

  op(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output: string = `t${++this.#names}`,
  ): string {
    this.#nodes.push(
      join(
        ...inputs.map((input) => text(1, input)),
        text(2, output),
        text(3, `n${this.#nodes.length}`),
        text(4, type),
        ...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
      ),
    )
    return output
  }

  floats(dims: readonly number[], values: ArrayLike<number>): string {
    const name = `w${++this.#names}`
    this.#constants.push(tensor(name, dims, FLOAT, new Uint8Array(Float32Array.from(values).buffer)))
    return name
  }

  whole(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const name = `c${++this.#names}`
    this.#constants.push(tensor(name, dims, INT64, new Uint8Array(BigInt64Array.from(values, BigInt).buffer)))
    return name
  }

  /** Normally distributed weights. */
  weights(dims: readonly number[], scale: number): string {
    const count = dims.reduce((product, dim) => product * dim, 1)
    const gauss = () =>
      Math.sqrt(-2 * Math.log(Math.max(this.#random(), 1e-9))) * Math.cos(2 * Math.PI * this.#random()) * scale
    return this.floats(dims, Array.from({ length: count }, gauss))
  }

  linear(input: string, from: number, to: number, scale: number = 1 / Math.sqrt(from)): string {
    const product = this.op('MatMul', [input, this.weights([from, to], scale)])
    return this.op('Add', [product, this.floats([to], new Array(to).fill(0))])
  }

  layerNorm(input: string, size: number): string {
    const [scale, bias] = [this.floats([size], new Array(size).fill(1)), this.floats([size], new Array(size).fill(0))]
    return this.op('LayerNormalization', [input, scale, bias], { axis: -1, epsilon: { float: 1e-5 } })
  }

  file(name: string, opset = 17): Buffer {
    const graph = join(
      ...this.#nodes.map((node) => bytes(1, node)),
      text(2, name),
      ...this.#constants.map((constant) => bytes(5, constant)),
      ...this.#inputs.map((input) => bytes(11, input)),
      ...this.#outputs.map((output) => bytes(12, output)),
    )
    return join(
      integer(1, 8),
      text(2, 'groundline-tests'),
      bytes(7, graph),
      bytes(8, join(text(1, ''), integer(2, opset))),
    )
  }
}
