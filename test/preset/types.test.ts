import { expectTypeOf, it } from 'vitest'
import type { Filter } from '../../src/filter.ts'
import type { Groundline } from '../../src/preset/index.ts'
import type { Retriever } from '../../src/retriever/index.ts'

type Meta = {
  readonly lang: 'en' | 'de'
  readonly year: number
  readonly tags: readonly string[]
  readonly author: { readonly name: string }
}

it('metadata types flow from documents to filters and passages', () => {
  type Options = NonNullable<Parameters<Groundline<Meta>['retrieve']>[1]>
  expectTypeOf<Options['filter']>().toEqualTypeOf<Filter<Meta> | undefined>()
  expectTypeOf<{ op: 'eq'; path: ['lang']; value: 'en' }>().toExtend<Filter<Meta>>()
  expectTypeOf<{ op: 'gte'; path: ['year']; value: number }>().toExtend<Filter<Meta>>()
  expectTypeOf<{ op: 'contains'; path: ['tags']; value: string }>().toExtend<Filter<Meta>>()
  expectTypeOf<{ op: 'eq'; path: ['author', 'name']; value: string }>().toExtend<Filter<Meta>>()
  expectTypeOf<{ op: 'eq'; path: ['lang']; value: 'fr' }>().not.toExtend<Filter<Meta>>()
  expectTypeOf<{ op: 'eq'; path: ['yaer']; value: number }>().not.toExtend<Filter<Meta>>()
  expectTypeOf<{ op: 'gte'; path: ['tags']; value: string }>().not.toExtend<Filter<Meta>>()
  type Passage = Awaited<ReturnType<Groundline<Meta>['retrieve']>>['passages'][number]
  expectTypeOf<Passage['metadata']>().toEqualTypeOf<Meta>()
  type View = Awaited<ReturnType<Groundline<Meta>['at']>>
  expectTypeOf<View>().toExtend<Retriever<Meta>>()
  expectTypeOf<NonNullable<Parameters<View['retrieve']>[1]>>().toEqualTypeOf<Options>()
  expectTypeOf<Parameters<Groundline['at']>[0]>().toEqualTypeOf<number | string>()
})
