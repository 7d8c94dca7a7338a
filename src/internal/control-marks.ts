/**
 * Control tokens of the model families in use (ChatML, Llama 2 and 3, Gemma, Mistral, DeepSeek, BERT) and the turn
 * marks of completion prompts. A serving stack that tokenizes prompts with special tokens on reads these as roles.
 */
const CONTROL =
  /<[|\uff5c][\p{L}\p{N}_\u2581.:/-]{1,64}[|\uff5c]>|<\/?(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|start_of_image|end_of_image)>|<<\/?SYS>>|\[\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|PREFIX|SUFFIX|MIDDLE|IMG|IMG_BREAK|IMG_END|CLS|SEP|MASK|PAD|UNK|gMASK|sop)\]|\n\n(?:Human|Assistant):/gu
/** What every match of `CONTROL` contains; a text without it needs no further look. */
const OPENER = /[<[]|\n\n[HA]/

/** Offsets of the units behind which a backslash makes a text harmless: the first of every control token, and what stands before the colon of `Human:`. */
export function controlMarks(text: string): readonly number[] {
  const marks: number[] = []
  if (OPENER.test(text))
    for (const { 0: token, index } of text.matchAll(CONTROL))
      marks.push(token.startsWith('\n') ? index + token.length - 2 : index)
  return marks
}
