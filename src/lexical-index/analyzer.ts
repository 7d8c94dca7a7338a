/**
 * Turns text into the terms an index compares, in text order. Documents and queries go through the same one. The order
 * is what phrase queries mean by "next to each other".
 */
export interface Analyzer {
  /** Names the analyzer with every option that changes its terms; a saved index opens only with the same one. */
  readonly id: string
  /** The terms of a text, repeated as often as they occur. */
  analyze(text: string): readonly string[]
}
