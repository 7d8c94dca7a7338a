/**
 * The commonest words of English text by falling frequency, from general knowledge of the language and no corpus in
 * particular. A word's rank stands for its frequency (Zipf's law).
 */
const COMMON = `the of and to a in is that for it as was with be by on not he this are or his from at which but have an
had they you were there one all we their has would when if so no will can what who more do said its about into than them
only other time new some could these two may first then any like my now over such our man me even most made after also
well did many must before years back through much where your way down should because long each just state those people
too how here between both under last never same another while us might great still off since against go came right used
take three use using work does make see being without during however general small large part given different number
good system need set case per within very high low order possible following until found show shown find get gets got
i am she her him up out been were thus therefore upon via etc why whether further often several among less least let
data value values based method methods results result problem problems function type return returns true false object
study effect effects analysis information present form line point file name code list string user`

let ranks: ReadonlyMap<string, number> | undefined

/** Weight of a word by how rare it is in general: near 0 for the commonest, 1 for words beyond the list. */
export function wordWeight(word: string): number {
  ranks ??= new Map(COMMON.split(/\s+/).map((common, index) => [common, index + 1]))
  const rank = ranks.get(word)
  if (rank !== undefined) return (Math.log(1 + rank) / Math.log(2 + ranks.size)) ** 4 * 0.5
  return word.length <= 3 ? 0.7 : 1
}
