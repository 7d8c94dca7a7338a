import type { AbortOptions, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import type { AuditEntry } from './audit.ts'
import type { BackupReport } from './backup.ts'
import type { Corpus, Damage } from './corpus.ts'
import type { PurgeReport } from './purge.ts'
import type { PlanReembedOptions, ReembedOptions, ReembedPlan } from './reembed.ts'
import type { Storage } from './storage.ts'

/** What is known about a version without reading its documents. */
export interface VersionInfo {
  /** Its number. */
  readonly version: number
  /** When it was made, ISO 8601. */
  readonly time: string
  /** What made it: `commit`, `rollback`, `compact`, … */
  readonly action: string
  /** Tags that name it. */
  readonly tags: readonly string[]
  /** The space of its vectors; absent before the first. */
  readonly space?: EmbeddingSpace
}

/** A version that is kept by name. */
export interface TagInfo {
  /** The tag. */
  readonly name: string
  /** The version it names; readable by the tag even when the version itself was collected. */
  readonly version: number
  /** Why nothing of it may be purged; absent for an ordinary tag. */
  readonly hold?: string
}

/** Which versions a collection keeps besides the newest, the tagged and those an open view reads. */
export interface KeepOptions {
  /** How many of the newest. Default 32. */
  readonly versions?: number | undefined
  /** Those that were the newest within this many milliseconds. Default 600,000: the time a reader in another process has to finish. */
  readonly milliseconds?: number | undefined
}

/** What a collection removed. */
export interface CollectReport {
  /** Versions that can be read no more. */
  readonly versions: readonly number[]
  /** Names of removed files. */
  readonly files: readonly string[]
}

/** A hold that keeps a tag's documents from being purged. */
export interface TagOptions extends AbortOptions {
  /** The version to name. Default: the newest. */
  readonly version?: number | undefined
  /** Why nothing of it may be purged: a legal hold. Default: no hold. */
  readonly hold?: string | undefined
}

/** A {@link Corpus} with its history. Every commit makes a version; old ones stay readable until they are collected. */
export interface VersionedCorpus<M extends Metadata = Metadata> extends Corpus<M> {
  /** The versions that can be read, oldest first. */
  versions(options?: AbortOptions): Promise<readonly VersionInfo[]>
  /** A read-only view of a version or tag. Close it, so that it can be collected. Throws `NOT_FOUND`. */
  at(version: number | string, options?: AbortOptions): Promise<Corpus<M>>
  /** Makes a new version that holds what an earlier version or tag held. Throws `NOT_FOUND`. */
  rollback(version: number | string, options?: AbortOptions): Promise<number>
  /** Keeps a version under a name. Throws `ALREADY_EXISTS` when the name is taken. */
  tag(name: string, options?: TagOptions): Promise<void>
  /** The tags, oldest first, with their holds. */
  tags(options?: AbortOptions): Promise<readonly TagInfo[]>
  /** Gives a tag up, its hold included. Throws `NOT_FOUND`. */
  untag(name: string, options?: AbortOptions): Promise<void>
  /** What {@link VersionedCorpus.reembed} would have to embed, and what that costs. Writes nothing. */
  planReembed(space: EmbeddingSpace, options?: PlanReembedOptions<M>): Promise<ReembedPlan>
  /**
   * Embeds every chunk in another space beside the present one, which goes on answering. Interrupted, it goes on where
   * it stopped when called again. Ends when the candidate is complete; {@link VersionedCorpus.promote} makes it the corpus.
   */
  reembed(options: ReembedOptions<M>): Promise<void>
  /** A read-only view of the candidate that `reembed` builds. Throws `NOT_FOUND` without one. */
  candidate(options?: AbortOptions): Promise<Corpus<M>>
  /** Makes the candidate the corpus, at once; `rollback` leads back. Throws `NOT_FOUND`, or `CONFLICT` while it lacks documents. */
  promote(options?: AbortOptions): Promise<number>
  /** Gives the candidate up. */
  discardCandidate(options?: AbortOptions): Promise<void>
  /** Joins segments into few, without the documents that are there no more. `small` joins small neighbours only. */
  compact(options?: AbortOptions & { readonly mode?: 'small' | 'all' }): Promise<void>
  /** Removes versions that are not to be kept, and the files that only they use. */
  collect(options?: AbortOptions & { readonly keep?: KeepOptions }): Promise<CollectReport>
  /**
   * Removes every trace of the documents that are there no more, from older versions, tags and derived files too, and
   * accounts for what is left. Throws `LEGAL_HOLD` when a hold keeps one of them.
   */
  purge(options?: AbortOptions): Promise<PurgeReport>
  /** What was purged, rolled back, promoted, held and released, oldest first. Throws `CORRUPT_DATA` when entries are missing. */
  audit(options?: AbortOptions): Promise<readonly AuditEntry[]>
  /** Copies the newest version with its tags to another storage while writers go on; again, what is new only. */
  backup(to: Storage, options?: AbortOptions): Promise<BackupReport>
  /** Reads every record of the newest version and its tags. Healthy when the list is empty. */
  verify(options?: AbortOptions): Promise<readonly Damage[]>
}
