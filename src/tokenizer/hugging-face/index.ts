export {
  type HuggingFaceTokenizer,
  type HuggingFaceTokenizerOptions,
  huggingFaceTokenizer,
} from './hugging-face-tokenizer.ts'
export { type LoadHuggingFaceTokenizerOptions, loadHuggingFaceTokenizer } from './load-hugging-face-tokenizer.ts'
