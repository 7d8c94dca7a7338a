import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/corpus/index.ts'
import { localKey } from '../../src/node/index.ts'
import { createGroundline, createTenants } from '../../src/preset/index.ts'
import type { Retrieval } from '../../src/retriever/retriever.ts'

describe('createTenants', () => {
  it('gives each tenant its own data and keys, and nothing without a tenant', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-tenants-'))
    const encryption = { keyProvider: (id: string) => localKey(new Uint8Array(32).fill(id.length)) }
    await using ground = await createTenants({ path, encryption })
    const [acme, other] = [await ground.tenant('acme'), await ground.tenant('other one')]
    expect(await ground.tenant('acme')).toBe(acme)
    await acme.add([{ id: 'a', text: 'Keys are rotated every ninety days.' }])
    await other.add([{ id: 'b', text: 'Keys are made of brass.' }])
    expect((await acme.retrieve('keys')).passages.map(({ documentId }) => documentId)).toEqual(['a'])
    expect((await other.retrieve('keys')).passages.map(({ documentId }) => documentId)).toEqual(['b'])
    await expect(ground.tenant('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(createGroundline({ path })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })

    await acme.close()
    expect(await (await ground.tenant('acme')).get('a')).toBeDefined()
    await ground.erase('other one')
    expect(await (await ground.tenant('other one')).get('b')).toBeUndefined()
    expect(readdirSync(join(path, 'tenants')).length).toBe(2)
    await ground.close()
    await expect(ground.tenant('acme')).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it.each(['with', 'without'])(
    'restores a backup of a tenant %s encryption, under its name, where it had nothing',
    async (mode) => {
      const encryption = { keyProvider: localKey(new Uint8Array(32).fill(3)) }
      const options = mode === 'with' ? { encryption } : {}
      const backup = memoryStorage()
      await using before = await createTenants({ storage: memoryStorage(), ...options })
      const acme = await before.tenant('acme')
      await acme.add([{ id: 'a', text: 'Keys are rotated every ninety days.' }])
      await acme.corpus.tag('first')
      await acme.corpus.backup(backup)
      await using after = await createTenants({ storage: memoryStorage(), ...options })
      await (await after.tenant('other')).add([{ id: 'b', text: 'Keys are made of brass.' }])
      expect(await after.restore('acme', backup)).toMatchObject({ version: 2 })
      const restored = await after.tenant('acme')
      expect(await restored.retrieve('keys')).toEqual(await acme.retrieve('keys'))
      expect(await restored.corpus.tags()).toMatchObject([{ name: 'first' }])
      await expect(after.restore('acme', backup)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
      await expect(after.restore('', backup)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      await after.restore('third', backup)
      if (mode === 'with') await expect(after.tenant('third')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      else expect(await (await after.tenant('third')).get('a')).toBeDefined()
    },
  )
})

describe('access lists of a preset', () => {
  const documents = [
    { id: 'open', text: 'Keys hang in the hall.', metadata: { access: ['all', 'user:ann'] } },
    { id: 'secret', text: 'Keys to the vault.', metadata: { access: ['user:ann'] } },
    { id: 'unlisted', text: 'Keys that nobody listed.' },
  ]
  const idsOf = async (asked: Promise<Retrieval>) => (await asked).passages.map(({ documentId }) => documentId).sort()

  it('are evaluated inside the search, deny by default, and hold from the next question on', async () => {
    await using ground = await createGroundline({ access: 'listed' })
    await ground.add(documents)
    expect(await idsOf(ground.retrieve('keys', { principals: ['user:ann'] }))).toEqual(['open', 'secret'])
    expect(await idsOf(ground.retrieve('keys', { principals: ['user:bob', 'all'] }))).toEqual(['open'])
    expect(await idsOf(ground.retrieve('keys', { principals: ['user:bob'] }))).toEqual([])
    await expect(ground.retrieve('keys')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(ground.assemble('keys', { principals: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(ground.get('open')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(() => ground.list()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    const listed = async (principal: string) => {
      const ids: string[] = []
      for await (const { id } of ground.list({ principals: [principal] })) ids.push(id)
      return ids
    }
    expect(await listed('user:ann')).toEqual(['open', 'secret'])
    expect(await listed('all')).toEqual(['open'])
    expect(await ground.get('secret', { principals: ['user:bob'] })).toBeUndefined()
    expect((await ground.get('secret', { principals: ['user:ann'] }))?.id).toBe('secret')
    expect(await ground.get('unlisted', { principals: ['user:ann', 'all'] })).toBeUndefined()
    await ground.add([{ ...documents[1]!, metadata: { access: ['user:bob'] } }])
    expect(await ground.get('secret', { principals: ['user:ann'] })).toBeUndefined()
    expect(await idsOf(ground.retrieve('keys', { principals: ['user:ann'] }))).toEqual(['open'])
    const filter = { op: 'eq', path: ['access'], value: 'x' } as const
    expect(await idsOf(ground.retrieve('keys', { principals: ['user:ann'], filter }))).toEqual([])
  })

  it('follow what another process revokes, in the next question, get and list', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-access-'))
    await using writer = await createGroundline({ path })
    await writer.add(documents)
    await using server = await createGroundline({ path, access: 'listed', readOnly: true })
    const ann = { principals: ['user:ann'] }
    const revoke = (id: string) => writer.add([{ id, text: 'Keys.', metadata: { access: ['user:bob'] } }])
    const listed = async () => {
      const ids: string[] = []
      for await (const { id } of server.list(ann)) ids.push(id)
      return ids
    }
    expect(await idsOf(server.retrieve('keys', ann))).toEqual(['open', 'secret'])
    await revoke('secret')
    expect(await idsOf(server.retrieve('keys', ann))).toEqual(['open'])
    await revoke('open')
    expect(await server.get('open', ann)).toBeUndefined()
    await writer.add([documents[1]!])
    expect(await listed()).toEqual(['secret'])
    await revoke('secret')
    expect(await listed()).toEqual([])
    expect((await server.assemble('keys', ann)).omitted).toEqual([])
  })
})
