import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '../../../src/testing/index.ts'
import { OnnxGraph } from './onnx-writer.ts'

// A BERT of one layer with random weights. It proves that files load, texts reach the model and vectors come back; it says
// nothing of quality.

const SIZE = 64
const POSITIONS = 128
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
const WORDS =
  'the of and to in for on with how what rotate key keys signing river bank harbour night search index'.split(' ')

function vocabulary(): readonly string[] {
  const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
    (character) => character === character.toLowerCase(),
  )
  const letters = printable.filter((character) => /[a-z0-9]/.test(character))
  const pairs = letters.slice(10).flatMap((a) => letters.slice(10).map((b) => `##${a}${b}`))
  return [...SPECIAL, ...printable, ...letters.map((letter) => `##${letter}`), ...WORDS, ...pairs]
}

/** Writes a model folder as transformers.js reads it. `embedder` gives token vectors, `cross-encoder` one score a pair. */
export function writeTinyModel(folder: string, kind: 'embedder' | 'cross-encoder'): void {
  const tokens = vocabulary()
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const write = (name: string, content: object | Buffer) =>
    writeFileSync(join(folder, name), Buffer.isBuffer(content) ? content : JSON.stringify(content))
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  write('config.json', {
    architectures: [kind === 'embedder' ? 'BertModel' : 'BertForSequenceClassification'],
    model_type: 'bert',
    hidden_size: SIZE,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    intermediate_size: 2 * SIZE,
    vocab_size: tokens.length,
    max_position_embeddings: POSITIONS,
    type_vocab_size: 2,
    pad_token_id: 0,
    ...(kind === 'cross-encoder' && { id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 }, num_labels: 1 }),
  })
  write('tokenizer.json', tokenizerFile(vocab))
  write('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: true,
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
    model_max_length: POSITIONS,
  })
  const model = bert(kind, tokens.length)
  write('onnx/model.onnx', model)
  write('onnx/model_quantized.onnx', model)
}

function tokenizerFile(vocab: Readonly<Record<string, number>>): object {
  const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } })
  const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } })
  const single = [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, sequence('B', 1), special('[SEP]', 1)],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [vocab[token]], tokens: [token] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  }
}

function bert(kind: 'embedder' | 'cross-encoder', vocabularySize: number): Buffer {
  const random = createRandom(7)
  const graph = new OnnxGraph(() => random.next())
  const ids = graph.integers('input_ids', ['batch', 'length'])
  const attention = graph.integers('attention_mask', ['batch', 'length'])
  const types = graph.integers('token_type_ids', ['batch', 'length'])
  const length = graph.op('Unsqueeze', [
    graph.op('Gather', [graph.op('Shape', [ids]), graph.whole([1], [])], { axis: 0 }),
    graph.whole([0]),
  ])
  const words = graph.op('Gather', [graph.weights([vocabularySize, SIZE], 1), ids], { axis: 0 })
  const places = graph.op('Slice', [graph.weights([POSITIONS, SIZE], 0.05), graph.whole([0]), length, graph.whole([0])])
  const kinds = graph.op('Gather', [graph.weights([2, SIZE], 0.05), types], { axis: 0 })
  const embedded = graph.layerNorm(graph.op('Add', [graph.op('Add', [words, places]), kinds]), SIZE)
  const absent = graph.op('Sub', [graph.floats([1], [1]), graph.op('Cast', [attention], { to: 1 })])
  const mask = graph.op('Unsqueeze', [graph.op('Mul', [absent, graph.floats([1], [-10_000])]), graph.whole([1])])
  const hidden = layer(graph, embedded, mask)
  if (kind === 'embedder') graph.output('last_hidden_state', hidden, ['batch', 'length', SIZE])
  else {
    const first = graph.op('Gather', [hidden, graph.whole([0], [])], { axis: 1 })
    graph.output('logits', graph.linear(first, SIZE, 1), ['batch', 1])
  }
  return graph.file('tiny-bert')
}

function layer(graph: OnnxGraph, input: string, mask: string): string {
  const [query, key, value] = [0, 1, 2].map(() => graph.linear(input, SIZE, SIZE)) as [string, string, string]
  const products = graph.op('MatMul', [query, graph.op('Transpose', [key], { perm: [0, 2, 1] })])
  const scaled = graph.op('Add', [graph.op('Mul', [products, graph.floats([1], [1 / Math.sqrt(SIZE)])]), mask])
  const attended = graph.op('MatMul', [graph.op('Softmax', [scaled], { axis: -1 }), value])
  const between = graph.layerNorm(graph.op('Add', [input, graph.linear(attended, SIZE, SIZE, 0.04)]), SIZE)
  const inner = graph.op('Relu', [graph.linear(between, SIZE, 2 * SIZE)])
  return graph.layerNorm(graph.op('Add', [between, graph.linear(inner, 2 * SIZE, SIZE, 0.03)]), SIZE)
}
