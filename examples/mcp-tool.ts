/**
 * Retrieval as a tool of the Model Context Protocol: one server, one tool, verbatim passages with their sources.
 * `tsx examples/mcp-tool.ts --stdio` serves a client over standard input; without it, a client in this process calls it.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createGroundline } from 'groundline/preset'
import { toTool } from 'groundline/retriever'

const ground = await createGroundline()
await ground.add([
  { id: 'keys.md', title: 'Keys', text: 'Keys are rotated every ninety days. The old key works for one more week.' },
  { id: 'backup.md', title: 'Backups', text: 'Backups run each night and are kept for thirty days.' },
])
const tool = toTool(ground, { topK: 1 })

const server = new Server({ name: 'groundline', version: '0.1.0' }, { capabilities: { tools: {} } })
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [{ name: tool.name, description: tool.description, inputSchema: tool.anthropic.input_schema }],
}))
server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => ({
  content: [{ type: 'text', text: (await tool.call(params.arguments, { signal })).text }],
}))

if (process.argv.includes('--stdio')) {
  await server.connect(new StdioServerTransport())
} else {
  const [near, far] = InMemoryTransport.createLinkedPair()
  await server.connect(far)
  const client = new Client({ name: 'example', version: '0.1.0' })
  await client.connect(near)
  const { tools } = await client.listTools()
  console.log(`tools: ${tools.map(({ name }) => name).join(', ')}`)
  const { content } = await client.callTool({ name: tool.name, arguments: { query: 'How often are keys rotated?' } })
  console.log((content as { text: string }[])[0]?.text)
  await client.close()
  await ground.close()
}
