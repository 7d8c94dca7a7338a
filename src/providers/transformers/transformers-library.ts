import { GroundlineError } from '../../errors.ts'

/** The two names of transformers.js: the current package and its predecessor. */
export type TransformersLibraryName = '@huggingface/transformers' | '@xenova/transformers'

/** Which model, and where it comes from. */
export type TransformersSource =
  | {
      /** A folder with `config.json`, `tokenizer.json` and `onnx/model.onnx`. Nothing is downloaded. */
      readonly folder: string
    }
  | {
      /** A model of huggingface.co, such as `Xenova/all-MiniLM-L6-v2`. It is downloaded at the first use. */
      readonly hub: string
      /** Branch, tag or commit. Default `main`. */
      readonly revision?: string
      /** Where downloads are kept. Default the library's own cache folder. */
      readonly cacheFolder?: string
    }

/** How a model is loaded. Plain data: it travels to the worker. */
export interface TransformersModelOptions {
  /** Which model. */
  readonly source: TransformersSource
  /** Which library. Default: the current one where it is installed, its predecessor otherwise. */
  readonly library?: TransformersLibraryName
  /** `fp32` reads `model.onnx`, `q8` reads `model_quantized.onnx`. Default `fp32`. */
  readonly precision?: 'fp32' | 'q8'
  /** Where it runs, as the library spells it: `cpu`, `cuda`, `webgpu`. Default the library's choice. */
  readonly device?: string
}

/** What one text became: ids and masks as plain lists. */
export interface Encoded {
  readonly input_ids: readonly (number | bigint)[]
  readonly attention_mask?: readonly (number | bigint)[]
  readonly token_type_ids?: readonly (number | bigint)[]
}

/** A tokenizer of the library, as far as it is used here. */
export interface LibraryTokenizer {
  (text: string, options: Readonly<Record<string, unknown>>): Encoded
  readonly pad_token_id?: number
  readonly model_max_length?: number
  decode(ids: readonly number[], options: Readonly<Record<string, unknown>>): string
}

/** A tensor of the library. */
export interface LibraryTensor {
  readonly dims: readonly number[]
  readonly data: Float32Array
}

/** A model of the library, as far as it is used here. */
export interface LibraryModel {
  (inputs: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, LibraryTensor | undefined>>>
  readonly config: { readonly max_position_embeddings?: number; readonly hidden_size?: number }
}

interface Loader<T> {
  from_pretrained(name: string, options: Readonly<Record<string, unknown>>): Promise<T>
}

/** The library, as far as it is used here: the same in both. */
export interface TransformersLibrary {
  readonly env: {
    allowRemoteModels: boolean
    allowLocalModels: boolean
    localModelPath: string
    cacheDir: string | null
    readonly version?: string
  }
  readonly AutoTokenizer: Loader<LibraryTokenizer>
  readonly AutoModel: Loader<LibraryModel>
  readonly AutoModelForSequenceClassification: Loader<LibraryModel>
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => unknown
}

const NAMES: readonly TransformersLibraryName[] = ['@huggingface/transformers', '@xenova/transformers']

/** Loads the library: the one asked for, or whichever is installed. Throws `MISSING_DEPENDENCY` when none is. */
export async function loadLibrary(asked: TransformersLibraryName | undefined): Promise<TransformersLibrary> {
  const causes: unknown[] = []
  for (const name of asked ? [asked] : NAMES) {
    try {
      // Not literal names: bundlers would insist on both being installed.
      return await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
    } catch (error) {
      causes.push(error)
    }
  }
  throw new GroundlineError(
    'MISSING_DEPENDENCY',
    `${asked ?? NAMES.join(' and ')} could not be loaded. Install one: npm install ${asked ?? NAMES[0]}`,
    { cause: causes.at(-1), details: { packages: asked ? [asked] : NAMES } },
  )
}

/** What both libraries need to be told to load the same file. */
export function loadArguments(
  library: TransformersLibrary,
  options: TransformersModelOptions,
): { readonly name: string; readonly settings: Readonly<Record<string, unknown>> } {
  const { source, precision = 'fp32', device } = options
  const { env } = library
  const settings = { quantized: precision === 'q8', dtype: precision, ...(device !== undefined && { device }) }
  if ('folder' in source) {
    // Absolute paths are joined to localModelPath, so the folder is split around its last name.
    const folder = source.folder.replace(/[\\/]+$/, '')
    const cut = Math.max(folder.lastIndexOf('/'), folder.lastIndexOf('\\')) + 1
    env.allowLocalModels = true
    env.allowRemoteModels = false
    env.localModelPath = folder.slice(0, cut) || './'
    return { name: folder.slice(cut), settings: { ...settings, local_files_only: true } }
  }
  env.allowRemoteModels = true
  if (source.cacheFolder !== undefined) env.cacheDir = source.cacheFolder
  return { name: source.hub, settings: { ...settings, revision: source.revision ?? 'main' } }
}
